/* SPDX-License-Identifier: ISC */
/*
 * The control socket's bytes, from connection to answer, through the real
 * parser and dispatcher, on the fake world. The first byte is the size of
 * the pieces in which they come. Every answer must be JSON ended by NUL.
 */
#include "libc.h"

#include "control.h"
#include "fuzz.h"
#include "json.h"
#include "play.h"
#include "upgrade_fds.h"

static void
check_answers(void)
{
	static struct json_tok tok[1 << 14];
	const char *at = w_client.heard, *end = at + w_client.nheard, *nul;
	char err[JSON_ERR_LEN];
	struct json j;

	for (; at < end; at = nul + 1) {
		nul = memchr(at, '\0', (size_t)(end - at));
		if (nul == NULL)	/* the connection was dropped */
			return;
		PROMISE(json_parse(&j, at, (size_t)(nul - at), tok, 1 << 14,
		    err) == 0, "answer: %s: %.200s", err, at);
		PROMISE(json_kind(&j, 0) == JSON_OBJECT, "answer: %.200s",
		    at);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct os_event ev;
	int i;

	if (n < 2)
		return 0;
	play_set_up();
	sim_begin();
	(void)sim_do((struct step){ .kind = M_BOOT });
	sim_tree.listen_fd = -1;
	w_client = (struct w_client){ .says = (const char *)bytes + 1,
	    .left = n - 1, .chunk = bytes[0] + 1u };
	PROMISE(control_open(&sim_tree) == 0, "no socket");
	ev = (struct os_event){ .tag = TAG(TAG_LISTEN, 0), .what = OS_READ };
	tree_dispatch(&sim_tree, &ev);
	ev = (struct os_event){ .tag = TAG(TAG_CONN, 0),
	    .what = OS_READ | OS_WRITE };
	for (i = 0; i < 4000 && w_client.left > 0 && !sim_tree.done; i++) {
		tree_dispatch(&sim_tree, &ev);
		tree_step(&sim_tree);
	}
	tree_dispatch(&sim_tree, &ev);	/* end of file */
	check_answers();
	PROMISE(strstr(w_fault, "bug:") == NULL, "%s", w_fault);
	control_close(&sim_tree);
	return 0;
}
