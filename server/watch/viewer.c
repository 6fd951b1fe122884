/* See viewer.h. The rights in scopes are kept as the grants themselves: a notice
 * brings the scopes above its own, so that no set of scopes is held for a viewer. */
#include "server/watch/viewer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mono.h"
#include "isms/store/v1/watch.pb-c.h"
#include "server/db/rowmap.h"
#include "server/domain/kind.h"
#include "server/watch/notice.h"

enum {
	EARLY_US = 300 * 1000, /* asked for again before it ends to count */
	/* Counts for so long after an answer that took longer than it would have counted:
	 * from a slow database nothing would ever be told. */
	LATE_US = 100 * 1000,
};

void viewers_init(struct viewers *viewers, struct asks *asks, const struct statement *statement,
		  void (*changed)(void *arg), void *arg)
{
	*viewers = (struct viewers){
		.asks = asks, .statement = statement, .changed = changed, .arg = arg
	};
	TAILQ_INIT(&viewers->list);
}

struct viewer *viewer_get(struct viewers *viewers, const char *org_id, const char *session_id,
			  int64_t now_us)
{
	struct viewer *viewer;
	TAILQ_FOREACH(viewer, &viewers->list, link)
	{
		if (strcmp(viewer->session_id, session_id) == 0 && viewer->state == VIEWER_VALID) {
			viewer->refs++;
			return viewer;
		}
	}
	viewer = calloc(1, sizeof(*viewer));
	if (viewer == NULL)
		abort();
	viewer->viewers = viewers;
	viewer->refs = 1;
	viewer->asked_us = now_us;
	snprintf(viewer->org_id, sizeof(viewer->org_id), "%s", org_id);
	snprintf(viewer->session_id, sizeof(viewer->session_id), "%s", session_id);
	TAILQ_INSERT_HEAD(&viewers->list, viewer, link);
	return viewer;
}

void viewer_put(struct viewer *viewer)
{
	if (viewer == NULL || --viewer->refs > 0)
		return;
	TAILQ_REMOVE(&viewer->viewers->list, viewer, link);
	free(viewer->grants);
	free(viewer);
}

static void put_batch(struct viewers *viewers)
{
	for (size_t i = 0; i < viewers->n_batch; i++) {
		viewers->batch[i]->asking = false;
		viewer_put(viewers->batch[i]);
	}
	viewers->n_batch = 0;
	viewers->ask = NULL;
}

void viewers_done(struct viewers *viewers)
{
	if (viewers->ask != NULL)
		ask_forget(viewers->ask, NULL, NULL);
	put_batch(viewers);
	assert(TAILQ_EMPTY(&viewers->list));
}

bool viewer_fresh(struct viewer *viewer, int64_t now_us)
{
	viewer->wanted = true;
	return viewer->state == VIEWER_VALID && now_us < viewer->fresh_until;
}

bool viewer_may(const struct viewer *viewer, const struct notice *notice)
{
	uint64_t kind = notice_kind_bit(notice->kind);
	if ((viewer->anywhere & kind) != 0)
		return true;
	for (size_t i = 0; i < viewer->n_grants; i++)
		if ((viewer->grants[i].kinds & kind) != 0 &&
		    notice_in_scope(notice, viewer->grants[i].scope))
			return true;
	return false;
}

/* --- asking --------------------------------------------------------------- */

static bool is_due(const struct viewer *viewer, int64_t now_us)
{
	if (viewer->asking || viewer->state != VIEWER_VALID)
		return false;
	return viewer->fresh_until == 0 || now_us - viewer->asked_us >= VIEWER_LOOK_US ||
	       (viewer->wanted && now_us >= viewer->fresh_until - EARLY_US);
}

static bool holds(const Isms__Store__V1__WatchGrant *grant, const char *permission)
{
	for (size_t i = 0; i < grant->n_permissions; i++)
		if (strcmp(grant->permissions[i], permission) == 0)
			return true;
	return false;
}

/* The kinds that a grant lets read, of those that belong to a scope or to none. */
static uint64_t kinds_of(const Isms__Store__V1__WatchGrant *grant, bool anywhere)
{
	uint64_t kinds = 0;
	for (int id = KIND_NONE + 1; id < KIND_COUNT; id++) {
		const struct kind *kind = kind_of((enum kind_id)id);
		if (kind->read != NULL && kind->anywhere == anywhere && holds(grant, kind->read))
			kinds |= notice_kind_bit(kind->id);
	}
	return kinds;
}

static void take_grant(struct viewer *viewer, const Isms__Store__V1__WatchGrant *grant)
{
	if (grant->scope_id[0] == '\0')
		return;
	struct viewer_grant *out = &viewer->grants[viewer->n_grants];
	out->kinds = kinds_of(grant, false);
	viewer->anywhere |= kinds_of(grant, true);
	if (out->kinds != 0 && uuid_parse(grant->scope_id, out->scope))
		viewer->n_grants++;
}

static void take_rows(struct viewer *viewer, ProtobufCMessage *const *rows, size_t n)
{
	size_t own = 0;
	for (size_t i = 0; i < n; i++) {
		const Isms__Store__V1__WatchGrant *grant = (const void *)rows[i];
		own += strcmp(grant->session_id, viewer->session_id) == 0;
	}
	free(viewer->grants);
	viewer->grants = calloc(own + 1, sizeof(*viewer->grants));
	if (viewer->grants == NULL)
		abort();
	viewer->n_grants = 0;
	viewer->anywhere = 0;
	/* Whatever they let be read: more may have been left out of the answer. */
	viewer->state = own == 0                  ? VIEWER_ENDED
			: own > VIEWER_GRANTS_MAX ? VIEWER_TOO_MANY
						  : VIEWER_VALID;
	for (size_t i = 0; i < n && viewer->state == VIEWER_VALID; i++) {
		const Isms__Store__V1__WatchGrant *grant = (const void *)rows[i];
		if (strcmp(grant->session_id, viewer->session_id) == 0)
			take_grant(viewer, grant);
	}
}

static void on_answer(void *arg, const struct status *st, ProtobufCMessage *const *rows, size_t n)
{
	struct viewers *viewers = arg;
	int64_t now_us = mono_us();
	int64_t sent_us = ask_sent_us(viewers->ask);
	for (size_t i = 0; i < viewers->n_batch && status_ok(st); i++) {
		struct viewer *viewer = viewers->batch[i];
		take_rows(viewer, rows, n);
		viewer->asked_us = viewers->asked_us;
		viewer->wanted = false;
		viewer->fresh_until = sent_us + VIEWER_FRESH_US;
		if (viewer->fresh_until < now_us + LATE_US)
			viewer->fresh_until = now_us + LATE_US;
	}
	put_batch(viewers);
	if (status_ok(st))
		viewers->changed(viewers->arg);
}

void viewers_look(struct viewers *viewers, int64_t now_us)
{
	char *org_ids[VIEWER_ASK_MAX], *session_ids[VIEWER_ASK_MAX];
	struct viewer *viewer;
	if (viewers->ask != NULL)
		return;
	TAILQ_FOREACH(viewer, &viewers->list, link)
	{
		if (viewers->n_batch == VIEWER_ASK_MAX)
			break;
		if (!is_due(viewer, now_us))
			continue;
		viewer->asking = true;
		viewer->refs++;
		org_ids[viewers->n_batch] = viewer->org_id;
		session_ids[viewers->n_batch] = viewer->session_id;
		viewers->batch[viewers->n_batch++] = viewer;
	}
	/* Everybody else comes first next time. */
	for (size_t i = 0; i < viewers->n_batch; i++) {
		TAILQ_REMOVE(&viewers->list, viewers->batch[i], link);
		TAILQ_INSERT_TAIL(&viewers->list, viewers->batch[i], link);
	}
	if (viewers->n_batch == 0)
		return;
	Isms__Store__V1__WatchSessions sessions = ISMS__STORE__V1__WATCH_SESSIONS__INIT;
	sessions.n_org_ids = sessions.n_session_ids = viewers->n_batch;
	sessions.org_ids = org_ids;
	sessions.session_ids = session_ids;
	struct query_args args = { 0 };
	viewers->asked_us = now_us;
	viewers->ask = ask_start(viewers->asks, viewers->statement, &sessions.base, &args,
				 on_answer, viewers);
}
