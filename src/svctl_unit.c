/* SPDX-License-Identifier: ISC */
/*
 * The text of the systemd unit and of the launchd job. doc/install.md says
 * why each key is there.
 */
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "svctl_install.h"

/* A word of ExecStart: quoted, specifiers and variables taken as text. */
static void
put_unit_word(struct buf *b, const char *word)
{
	const char *p;
	bool plain = strpbrk(word, " \t\"'\\%$;") == NULL;

	if (plain) {
		buf_puts(b, word);
		return;
	}
	buf_putc(b, '"');
	for (p = word; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			buf_putc(b, '\\');
		if (*p == '%' || *p == '$')
			buf_putc(b, *p);
		buf_putc(b, *p);
	}
	buf_putc(b, '"');
}

static void
put_unit(struct buf *b, const struct job *j)
{
	buf_puts(b, "# Made by svctl install.\n"
	    "[Unit]\n"
	    "Description=svtree, the supervisor of this host's services\n"
	    "Documentation=man:svtree(8)\n");
	if (j->system)
		buf_puts(b, "After=network.target\n");
	buf_puts(b, "StartLimitIntervalSec=0\n"
	    "\n"
	    "[Service]\n"
	    "Type=exec\n"
	    "ExecStart=");
	put_unit_word(b, j->svtree);
	if (j->services[0] != '\0') {
		buf_putc(b, ' ');
		put_unit_word(b, j->services);
	}
	buf_puts(b, "\nExecReload=");
	put_unit_word(b, j->svctl);
	buf_puts(b, " upgrade\n"
	    "Restart=on-failure\n"
	    "RestartSec=100ms\n"
	    "RestartPreventExitStatus=100\n"
	    "TimeoutStopSec=90\n"
	    "KillMode=process\n"
	    "OOMPolicy=continue\n");
	/* A user's manager may not lower it, and then starts nothing. */
	if (j->system)
		buf_puts(b, "OOMScoreAdjust=-900\n"
		    "ManagedOOMPreference=avoid\n");
	buf_puts(b, "\n[Install]\nWantedBy=");
	buf_puts(b, j->system ? "multi-user.target\n" : "default.target\n");
}

static void
put_xml(struct buf *b, const char *text)
{
	for (; *text != '\0'; text++)
		switch (*text) {
		case '&':
			buf_puts(b, "&amp;");
			break;
		case '<':
			buf_puts(b, "&lt;");
			break;
		case '>':
			buf_puts(b, "&gt;");
			break;
		default:
			buf_putc(b, *text);
			break;
		}
}

static void
put_string(struct buf *b, const char *indent, const char *text)
{
	buf_printf(b, "%s<string>", indent);
	put_xml(b, text);
	buf_puts(b, "</string>\n");
}

static void
put_key(struct buf *b, const char *key, const char *value)
{
	buf_printf(b, "\t<key>%s</key>\n", key);
	put_string(b, "\t", value);
}

static void
put_arguments(struct buf *b, const struct job *j)
{
	buf_puts(b, "\t<key>ProgramArguments</key>\n\t<array>\n");
	put_string(b, "\t\t", j->svtree);
	if (j->run[0] != '\0') {
		put_string(b, "\t\t", "--run");
		put_string(b, "\t\t", j->run);
	}
	if (j->services[0] != '\0')
		put_string(b, "\t\t", j->services);
	buf_puts(b, "\t</array>\n");
}

static void
put_session(struct buf *b, const struct job *j)
{
	char log[640];

	if (j->system) {
		put_key(b, "StandardOutPath", "/var/log/svtree.log");
		put_key(b, "StandardErrorPath", "/var/log/svtree.log");
		return;
	}
	buf_puts(b, "\t<key>LimitLoadToSessionType</key>\n"
	    "\t<array>\n"
	    "\t\t<string>Aqua</string>\n"
	    "\t\t<string>Background</string>\n"
	    "\t</array>\n");
	put_key(b, "WorkingDirectory", j->home);
	buf_puts(b, "\t<key>EnvironmentVariables</key>\n"
	    "\t<dict>\n"
	    "\t\t<key>HOME</key>\n");
	put_string(b, "\t\t", j->home);
	buf_puts(b, "\t</dict>\n");
	(void)snprintf(log, sizeof log, "%s/Library/Logs/svtree.log",
	    j->home);
	put_key(b, "StandardOutPath", log);
	put_key(b, "StandardErrorPath", log);
}

static void
put_plist(struct buf *b, const struct job *j)
{
	buf_puts(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
	    "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
	    "<plist version=\"1.0\">\n"
	    "<dict>\n");
	put_key(b, "Label", "org.svtree.host");
	put_arguments(b, j);
	buf_puts(b, "\t<key>RunAtLoad</key>\n"
	    "\t<true/>\n"
	    "\t<key>KeepAlive</key>\n"
	    "\t<dict>\n"
	    "\t\t<key>SuccessfulExit</key>\n"
	    "\t\t<false/>\n"
	    "\t</dict>\n"
	    "\t<key>ThrottleInterval</key>\n"
	    "\t<integer>10</integer>\n"
	    "\t<key>ExitTimeOut</key>\n"
	    "\t<integer>90</integer>\n"
	    "\t<key>AbandonProcessGroup</key>\n"
	    "\t<true/>\n"
	    "\t<key>ProcessType</key>\n"
	    "\t<string>Interactive</string>\n"
	    "\t<key>SoftResourceLimits</key>\n"
	    "\t<dict>\n"
	    "\t\t<key>NumberOfFiles</key>\n"
	    "\t\t<integer>4096</integer>\n"
	    "\t</dict>\n");
	put_session(b, j);
	buf_puts(b, "</dict>\n</plist>\n");
}

int
install_text(const struct job *j, char *dst, size_t cap)
{
	struct buf b;

	buf_init(&b, dst, cap);
	if (j->launchd)
		put_plist(&b, j);
	else
		put_unit(&b, j);
	(void)buf_cstr(&b);
	return b.overflow ? -1 : 0;
}
