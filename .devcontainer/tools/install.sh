#!/bin/sh
# Put into the image what working inside needs, on top of the dev stage: a user, and git with what it calls.
# The dev container's tools run it, as root, with the user's name in _CONTAINER_USER.
set -eu

apt-get update
apt-get install -y --no-install-recommends git less openssh-client
rm -rf /var/lib/apt/lists/*

id -u "$_CONTAINER_USER" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$_CONTAINER_USER"
