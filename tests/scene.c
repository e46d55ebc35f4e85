/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "judge.h"
#include "scene.h"

#define ARGS_MAX 64
#define SETTLE_MS 5000

void
scene_fail(struct scene *scene, const char *why)
{
	char path[128];

	snprintf(path, sizeof(path), "%s.pcap", scene->name);
	if (scene->flow != NULL) {
		witness_flow_write_pcap(scene->flow, path);
		witness_dump(scene->flow, stderr);
	}
	fprintf(stderr, "%s%s", scene->run.out, scene->run.err);
	ck_abort_msg("%s: %s; the capture is in %s", scene->name, why, path);
}

/*
 * Whether the report claims an end that the wire may still be about to show:
 * after a FIN to a peer that keeps open, none comes.
 */
static bool
scene_ends(const struct scene *scene)
{
	const char *peer = judge_string(scene->report, "close.peer");
	const char *local = judge_string(scene->report, "close.local");

	/* Null, where the system does not tell: then it may well be clean. */
	return strcmp(local, "rst") == 0 || strstr(peer, "rst") != NULL ||
	    !json_is_false(judge_at(scene->report, "close.clean"));
}

void
scene_judge(struct scene *scene, uint16_t port)
{
	uint16_t ours = (uint16_t)judge_number(scene->report, "local_port");

	if (scene_ends(scene))
		scene->flow =
		    witness_settle(scene->witness, ours, port, SETTLE_MS);
	witness_collect(scene->witness);
	scene->flow = witness_find(scene->witness, NULL, ours, port);
	if (witness_drops(scene->witness) != 0)
		scene_fail(scene, "the witness missed frames");
	if (scene->flow == NULL)
		return;
	if (!judge(scene->flow, scene->report, &scene->untold))
		scene_fail(scene, "the report is not what the wire says");
}

void
scene_play(struct scene *scene, const char *host, uint16_t port,
    const char *const *args)
{
	const char *argv[ARGS_MAX] = { "-f", "json" };
	char port_text[8];
	size_t count = 2;

	scene_clear(scene);
	snprintf(port_text, sizeof(port_text), "%u", port);
	while (*args != NULL && count < ARGS_MAX - 3)
		argv[count++] = *args++;
	argv[count++] = host;
	argv[count++] = port_text;
	argv[count] = NULL;
	run_command(&scene->run, argv);
	scene->report = json_loads(scene->run.out, JSON_ALLOW_NUL, NULL);
	if (scene->report == NULL)
		scene_fail(scene, "no report in JSON");
	ck_assert_int_eq(
	    scene->run.status, (int)judge_number(scene->report, "exit_status"));
	scene_judge(scene, port);
}

void
scene_clear(struct scene *scene)
{
	if (scene->report != NULL) {
		json_decref(scene->report);
		run_free(&scene->run);
	}
	scene->report = NULL;
	scene->flow = NULL;
	witness_forget(scene->witness);
}
