/* SPDX-License-Identifier: ISC */
/*
 * Words for the shells, made from the table of verbs: what svctl can do is
 * written down once.
 */
#include <stdio.h>
#include <string.h>

#include "svctl.h"

static const char bash_text[] =
"# bash completion of svctl; made by svctl --completion bash\n"
"_svctl()\n"
"{\n"
"	local cur=${COMP_WORDS[COMP_CWORD]} i verb=\n"
"	for ((i = 1; i < COMP_CWORD; i++)); do\n"
"		case ${COMP_WORDS[i]} in\n"
"		--run|-t|--timeout|-n|--lines) ((i++)) ;;\n"
"		-*) ;;\n"
"		*) verb=${COMP_WORDS[i]}; break ;;\n"
"		esac\n"
"	done\n"
"	if [[ $cur == -* ]]; then\n"
"		COMPREPLY=($(compgen -W '--run --json --no-wait --timeout "
"--help --version --follow --lines --up --down --healthy' -- \"$cur\"))\n"
"	elif [[ -z $verb ]]; then\n"
"		COMPREPLY=($(compgen -W '%s' -- \"$cur\"))\n"
"	else\n"
"		COMPREPLY=($(compgen -W \"$(svctl status 2>/dev/null | "
"sed -n 's/^\\([^ ]*\\) .*/\\1/p' | tail -n +2)\" -- \"$cur\"))\n"
"	fi\n"
"}\n"
"complete -F _svctl svctl\n";

static const char zsh_head[] =
"#compdef svctl\n"
"# zsh completion of svctl; made by svctl --completion zsh\n"
"_svctl_names() {\n"
"	compadd -- ${(f)\"$(svctl status 2>/dev/null | "
"sed -n 's/^\\([^ ]*\\) .*/\\1/p' | tail -n +2)\"}\n"
"}\n"
"local -a verbs=(\n";

static const char zsh_tail[] =
")\n"
"_arguments '--run[run directory]:directory:_directories' "
"'--json[JSON]' '--no-wait[do not wait]' "
"'(-t --timeout)'{-t,--timeout}'[how long to wait]:duration:' "
"'1:verb:{_describe verb verbs}' '*:service:_svctl_names'\n";

static const char fish_head[] =
"# fish completion of svctl; made by svctl --completion fish\n"
"complete -c svctl -f\n"
"complete -c svctl -l run -r -d 'run directory'\n"
"complete -c svctl -l json -d JSON\n"
"complete -c svctl -l no-wait -d 'do not wait for the effect'\n"
"complete -c svctl -s t -l timeout -r -d 'how long to wait'\n"
"complete -c svctl -n 'not __fish_use_subcommand' -a "
"'(svctl status 2>/dev/null | sed -n \"s/^\\([^ ]*\\) .*/\\1/p\" | "
"tail -n +2)'\n";

static void
put_bash(void)
{
	const struct verb *v;
	const char *at = strstr(bash_text, "%s");

	(void)printf("%.*s", (int)(at - bash_text), bash_text);
	for (v = svctl_verbs; v->name != NULL; v++)
		(void)printf("%s%s", v == svctl_verbs ? "" : " ", v->name);
	(void)fputs(at + 2, stdout);
}

static void
put_zsh(void)
{
	const struct verb *v;

	(void)fputs(zsh_head, stdout);
	for (v = svctl_verbs; v->name != NULL; v++)
		(void)printf("	\"%s:%s\"\n", v->name, v->help);
	(void)fputs(zsh_tail, stdout);
}

static void
put_fish(void)
{
	const struct verb *v;

	(void)fputs(fish_head, stdout);
	for (v = svctl_verbs; v->name != NULL; v++)
		(void)printf("complete -c svctl -n __fish_use_subcommand "
		    "-a %s -d \"%s\"\n", v->name, v->help);
}

int
svctl_complete(const char *shell)
{
	if (strcmp(shell, "bash") == 0) {
		put_bash();
	} else if (strcmp(shell, "zsh") == 0) {
		put_zsh();
	} else if (strcmp(shell, "fish") == 0) {
		put_fish();
	} else {
		(void)fprintf(stderr, "svctl: no words for %s; bash, zsh and "
		    "fish have some\n", shell);
		return CTL_USAGE;
	}
	return CTL_OK;
}
