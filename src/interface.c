/* SPDX-License-Identifier: ISC */
/*
 * The protocol describes itself: the text of org.svtree.varlink is compiled
 * in. Knows no tree.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "control_methods.h"
#include "interface.h"

/* Both are made from the .varlink files by the Makefile. */
static const char org_svtree[] =
#include "interface_text.h"
;
static const char org_varlink_service[] =
#include "interface_service.h"
;

static const struct {
	const char *name, *text;
} interfaces[] = {
	{ "org.varlink.service", org_varlink_service },
	{ "org.svtree", org_svtree },
};

static void
get_info(struct call *c)
{
	struct buf *b = &c->conn->out;

	buf_puts(b, "{\"parameters\":{");
	json_set_str(b, "vendor", "svtree");
	json_set_str(b, "product", "svtree supervisor");
	json_set_str(b, "version", PACKAGE_VERSION);
	json_set_str(b, "url", "https://varlink.org/");
	buf_puts(b, ",\"interfaces\":[\"org.varlink.service\","
	    "\"org.svtree\"]}}");
	buf_putc(b, '\0');
}

static void
get_description(struct call *c)
{
	struct buf *b = &c->conn->out;
	char name[64] = "";
	size_t i;

	(void)json_str(&c->json, control_param(c, "interface"), name,
	    sizeof name);
	for (i = 0; i < nitems(interfaces); i++)
		if (strcmp(interfaces[i].name, name) == 0)
			break;
	if (i == nitems(interfaces)) {
		control_error(c->conn, "org.varlink.service.InterfaceNotFound",
		    "interface", name, NULL);
		return;
	}
	buf_puts(b, "{\"parameters\":{");
	json_set_str(b, "description", interfaces[i].text);
	buf_puts(b, "}}");
	buf_putc(b, '\0');
}

bool
interface_call(struct call *c, const char *method)
{
	if (strcmp(method, "org.varlink.service.GetInfo") == 0)
		get_info(c);
	else if (strcmp(method,
	    "org.varlink.service.GetInterfaceDescription") == 0)
		get_description(c);
	else
		return false;
	return true;
}
