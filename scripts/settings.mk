# Stop if a setting contains what make or a shell would run: settings become part of commands.
# $(value) reads a setting without expanding it.

ALPHANUMERIC := 0 1 2 3 4 5 6 7 8 9 a b c d e f g h i j k l m n o p q r s t u v w x y z \
	A B C D E F G H I J K L M N O P Q R S T U V W X Y Z
PUNCTUATION := . _ / : -
COMMA := ,
SPACE := $(subst ,, )

# $(call without,TEXT,CHARACTERS): what is left of the text.
without = $(if $2,$(call without,$(subst $(firstword $2),,$1),$(wordlist 2,$(words $2),$2)),$1)

# $(call check_name,SETTING,CHARACTERS) stops unless the setting consists of letters, digits, punctuation and these.
check_text = $(if $(findstring $$,$(value $1)),$(error $1 is invalid: do not use a dollar sign))
check_name = $(if $(call without,$(value $1),$(ALPHANUMERIC) $(PUNCTUATION) $2)$(filter -%,$(value $1)),$(error $1 is \
	invalid: use letters, digits and $(PUNCTUATION)$(if $2, $2) and begin with a letter or a digit))
check_words = $(if $(call without,$(subst $(SPACE),,$(value $1)),$(ALPHANUMERIC) $(PUNCTUATION) $2),$(error $1 is \
	invalid: use letters, digits, spaces and $(PUNCTUATION) $2))

# Make passes all variables of the command line to the commands, and expands them for that.
$(foreach setting,$(.VARIABLES),$(if $(filter command,$(origin $(setting))),$(call check_text,$(setting))))
$(foreach setting,$(NAMES),$(call check_name,$(setting)))
$(call check_name,PYTHON_IMAGE,@)
$(call check_words,DOCKER,@ =)
$(call check_words,RUN_OPTIONS,@ = + % $(COMMA))
$(call check_words,TESTS,@ = [ ] * ?)
