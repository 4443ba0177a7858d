/* SPDX-License-Identifier: ISC */
/*
 * Completions for three shells, made from the tables of verbs and options:
 * what svctl can do is written down once.
 */
#include <stdio.h>
#include <string.h>

#include "svctl.h"

static const char *const actions[][3] = {	/* bash, zsh, fish */
	[WORD_NONE] = { "", "", "" },
	[WORD_SERVICE] = { "-W \"$(_svctl_names)\"", "_svctl_names",
	    "(__svctl_names)" },
	[WORD_VERB] = { "-W \"$verbs\"", "_svctl_verbs",
	    "(__svctl_verbs)" },
	[WORD_SIGNAL] = { "-W \"$signals $(_svctl_names)\"",
	    "_svctl_signals", "TERM HUP INT QUIT USR1 USR2 KILL STOP CONT "
	    "(__svctl_names)" },
	[WORD_SHELL] = { "-W \"bash zsh fish\"", "(bash zsh fish)",
	    "bash zsh fish" },
	[WORD_DIR] = { "-d", "_directories",
	    "(__fish_complete_directories)" },
	[WORD_FILE] = { "-f", "_files", "(__fish_complete_path)" },
	[WORD_HOST] = { "-A hostname", "_hosts",
	    "(__fish_print_hostnames)" },
	[WORD_COUNT] = { "-W \"10 50 100 1000\"", "(10 50 100 1000)",
	    "10 50 100 1000" },
	[WORD_DURATION] = { "-W \"5s 30s 5m\"", "(5s 30s 5m)", "5s 30s 5m" },
	[WORD_TIME] = { "-W \"10m 1h today yesterday\"",
	    "(10m 1h today yesterday)", "10m 1h today yesterday" },
	[WORD_PATTERN] = { "", "", "" },
	[WORD_MANAGER] = { "-W \"systemd launchd\"", "(systemd launchd)",
	    "systemd launchd" },
};

/* Text between single quotes of a shell. */
static void
put_quoted(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text == '\'')
			(void)fputs("'\\''", stdout);
		else
			(void)fputc(*text, stdout);
}

static bool
takes(const struct verb *v, int option)
{
	return ((v->options | OPTIONS_OF_ALL) & UINT32_C(1) << option) != 0;
}

/* "--run DIR" as the patterns of a case: "-t|--timeout" */
static void
put_pattern(const struct opt_row *o)
{
	if (o->letter != 0)
		(void)printf("-%c|", o->letter);
	(void)printf("--%s", o->name);
}

static void
put_bash_options(void)
{
	const struct verb *v;
	int i;

	(void)puts("	if [[ $cur == -* ]]; then\n		case $verb in");
	for (v = svctl_verbs; v->name != NULL; v++) {
		(void)printf("		%s) words='", v->name);
		for (i = 0; i < OPT_COUNT; i++)
			if (takes(v, i))
				(void)printf("--%s ", svctl_options[i].name);
		(void)puts("' ;;");
	}
	(void)puts("		*) words='--run --host --json --quiet --help "
	    "--version' ;;\n"
	    "		esac\n"
	    "		COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	    "		return\n"
	    "	fi");
}

static void
put_bash(void)
{
	const struct verb *v;
	int i;

	(void)fputs("# bash completion of svctl, made by: svctl completion "
	    "bash\n"
	    "_svctl_names()\n"
	    "{\n"
	    "	svctl ${run:+--run \"$run\"} status --names 2>/dev/null\n"
	    "}\n"
	    "_svctl()\n"
	    "{\n"
	    "	local cur=${COMP_WORDS[COMP_CWORD]} i verb= run= words\n"
	    "	local prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	    "	local signals='TERM HUP INT QUIT USR1 USR2 KILL STOP CONT'\n"
	    "	local verbs='", stdout);
	for (v = svctl_verbs; v->name != NULL; v++)
		(void)printf("%s ", v->name);
	(void)puts("'\n"
	    "	for ((i = 1; i < COMP_CWORD; i++)); do\n"
	    "		case ${COMP_WORDS[i]} in\n"
	    "		--run) ((i++)); run=${COMP_WORDS[i]} ;;");
	for (i = OPT_RUN + 1; i < OPT_COUNT; i++)
		if (svctl_options[i].arg != NULL) {
			(void)fputs("		", stdout);
			put_pattern(&svctl_options[i]);
			(void)puts(") ((i++)) ;;");
		}
	(void)puts("		-*) ;;\n"
	    "		*) verb=${verb:-${COMP_WORDS[i]}} ;;\n"
	    "		esac\n"
	    "	done\n"
	    "	case $prev in");
	for (i = 0; i < OPT_COUNT; i++)
		if (svctl_options[i].arg != NULL) {
			(void)fputs("	", stdout);
			put_pattern(&svctl_options[i]);
			(void)printf(") COMPREPLY=($(compgen %s -- \"$cur\"))"
			    "; return ;;\n",
			    actions[svctl_options[i].word][0]);
		}
	(void)puts("	esac");
	put_bash_options();
	(void)puts("	case $verb in\n"
	    "	'') COMPREPLY=($(compgen -W \"$verbs\" -- \"$cur\")) ;;");
	for (v = svctl_verbs; v->name != NULL; v++)
		if (actions[v->words][0][0] != '\0')
			(void)printf("	%s) COMPREPLY=($(compgen %s -- "
			    "\"$cur\")) ;;\n", v->name, actions[v->words][0]);
	(void)puts("	esac\n}\ncomplete -F _svctl svctl");
}

static void
put_zsh_option(const struct opt_row *o)
{
	if (o->letter != 0)
		(void)printf("'(-%c --%s)'{-%c,--%s}'[", o->letter, o->name,
		    o->letter, o->name);
	else
		(void)printf("'--%s[", o->name);
	put_quoted(o->help);
	(void)fputs("]", stdout);
	if (o->arg != NULL)
		(void)printf(":%s:%s", o->arg, actions[o->word][1]);
	(void)fputs("' ", stdout);
}

static void
put_zsh_verb(const struct verb *v)
{
	int i;

	(void)printf("		%s) _arguments ", v->name);
	for (i = 0; i < OPT_COUNT; i++)
		if (takes(v, i))
			put_zsh_option(&svctl_options[i]);
	if (actions[v->words][1][0] != '\0')
		(void)printf("'*:word:%s'", actions[v->words][1]);
	(void)puts(" ;;");
}

static void
put_zsh(void)
{
	const struct verb *v;
	int i;

	(void)puts("#compdef svctl\n"
	    "# zsh completion of svctl, made by: svctl completion zsh\n"
	    "_svctl_names() {\n"
	    "	local run=${opt_args[--run]}\n"
	    "	compadd -- ${(f)\"$(svctl ${run:+--run $run} status --names "
	    "2>/dev/null)\"}\n"
	    "}\n"
	    "_svctl_signals() {\n"
	    "	compadd -- TERM HUP INT QUIT USR1 USR2 KILL STOP CONT\n"
	    "	_svctl_names\n"
	    "}\n"
	    "_svctl_verbs() {\n"
	    "	local -a verbs=(");
	for (v = svctl_verbs; v->name != NULL; v++) {
		(void)printf("		'%s:", v->name);
		put_quoted(v->help);
		(void)puts("'");
	}
	(void)fputs("	)\n"
	    "	_describe verb verbs\n"
	    "}\n"
	    "_svctl() {\n"
	    "	local context state state_descr line\n"
	    "	typeset -A opt_args\n"
	    "	_arguments -C -A '-*' ", stdout);
	/* Before the verb any option may stand, behind it its own. */
	for (i = 0; i < OPT_COUNT; i++)
		put_zsh_option(&svctl_options[i]);
	(void)puts("'1:verb:_svctl_verbs' '*::word:->words'\n"
	    "	[[ $state == words ]] || return\n"
	    "	case $words[1] in");
	for (v = svctl_verbs; v->name != NULL; v++)
		put_zsh_verb(v);
	(void)puts("	esac\n"
	    "}\n"
	    "if [[ $funcstack[1] == _svctl ]]; then\n"
	    "	_svctl \"$@\"\n"
	    "else\n"
	    "	compdef _svctl svctl\n"
	    "fi");
}

/* Options: of all verbs, or when the verb is one of those that take it. */
static void
put_fish_option(int i)
{
	const struct opt_row *o = &svctl_options[i];
	const struct verb *v;

	(void)fputs("complete -c svctl", stdout);
	if ((OPTIONS_OF_ALL & UINT32_C(1) << i) == 0) {
		(void)fputs(" -n '__svctl_is", stdout);
		for (v = svctl_verbs; v->name != NULL; v++)
			if (takes(v, i))
				(void)printf(" %s", v->name);
		(void)fputs("'", stdout);
	}
	if (o->letter != 0)
		(void)printf(" -s %c", o->letter);
	(void)printf(" -l %s", o->name);
	if (o->arg != NULL)
		(void)printf(" -x -a '%s'", actions[o->word][2]);
	(void)fputs(" -d '", stdout);
	put_quoted(o->help);
	(void)puts("'");
}

static void
put_fish_head(void)
{
	int i;

	(void)puts("# fish completion of svctl, made by: svctl completion "
	    "fish\n"
	    "function __svctl_verb\n"
	    "	set -l skip 0\n"
	    "	for word in (commandline -opc)[2..-1]\n"
	    "		if test $skip = 1\n"
	    "			set skip 0\n"
	    "			continue\n"
	    "		end\n"
	    "		switch $word");
	(void)fputs("			case", stdout);
	for (i = 0; i < OPT_COUNT; i++)
		if (svctl_options[i].arg != NULL) {
			(void)printf(" --%s", svctl_options[i].name);
			if (svctl_options[i].letter != 0)
				(void)printf(" -%c", svctl_options[i].letter);
		}
	(void)puts("\n"
	    "				set skip 1\n"
	    "			case '-*'\n"
	    "			case '*'\n"
	    "				echo $word\n"
	    "				return\n"
	    "		end\n"
	    "	end\n"
	    "end\n"
	    "function __svctl_is\n"
	    "	contains -- (__svctl_verb; or true)[1] $argv\n"
	    "end\n"
	    "function __svctl_names\n"
	    "	set -l run (string match -r -- '--run[ =](\\S+)' "
	    "(commandline -p))\n"
	    "	if set -q run[2]\n"
	    "		svctl --run $run[2] status --names 2>/dev/null\n"
	    "	else\n"
	    "		svctl status --names 2>/dev/null\n"
	    "	end\n"
	    "end");
}

static void
put_fish(void)
{
	const struct verb *v;
	int i;

	put_fish_head();
	(void)fputs("function __svctl_verbs\n	printf '%s\\n'", stdout);
	for (v = svctl_verbs; v->name != NULL; v++)
		(void)printf(" %s", v->name);
	(void)puts("\nend\ncomplete -c svctl -f");
	for (v = svctl_verbs; v->name != NULL; v++) {
		(void)printf("complete -c svctl -n 'test -z \"$(__svctl_verb)"
		    "\"' -a %s -d '", v->name);
		put_quoted(v->help);
		(void)puts("'");
		if (actions[v->words][2][0] != '\0')
			(void)printf("complete -c svctl -n '__svctl_is %s' "
			    "-a '%s'\n", v->name, actions[v->words][2]);
	}
	for (i = 0; i < OPT_COUNT; i++)
		put_fish_option(i);
}

static const struct {
	const char *shell;
	void	(*put)(void);
} shells[] = {
	{ "bash", put_bash }, { "zsh", put_zsh }, { "fish", put_fish },
};

int
svctl_complete(struct ctl *c)
{
	size_t i;

	for (i = 0; i < nitems(shells); i++)
		if (strcmp(shells[i].shell, c->name[0]) == 0) {
			shells[i].put();
			return CTL_OK;
		}
	(void)fprintf(stderr, "svctl: no words for %s; bash, zsh and fish "
	    "have some\n", c->name[0]);
	return CTL_USAGE;
}
