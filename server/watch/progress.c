/* See progress.h. */
#include "server/watch/progress.h"

#include "common/log.h"

static void tell(bool *fails, const char *query, const struct status *st)
{
	if (!status_ok(st) && !*fails)
		log_write(LOG_LEVEL_WARNING, "watch_waits", "query=%s reason=%s message=%s", query,
			  st->reason, st->message);
	else if (status_ok(st) && *fails)
		log_write(LOG_LEVEL_INFO, "watch_goes", "query=%s", query);
	*fails = !status_ok(st);
}

void progress_followed(struct progress *progress, const struct status *st)
{
	tell(&progress->follow_fails, "watch_follow", st);
}

void progress_missed(struct progress *progress, const struct status *st)
{
	tell(&progress->missed_fails, "watch_missed", st);
}

bool progress_horizon(struct progress *progress, int64_t horizon, int64_t ahead, int64_t now_us)
{
	if (horizon != progress->horizon || horizon >= ahead) {
		if (progress->held)
			log_write(LOG_LEVEL_INFO, "watch_released", "tx=%lld",
				  (long long)progress->horizon);
		progress->horizon = horizon;
		progress->since_us = now_us;
		progress->held = false;
		return false;
	}
	if (progress->held || now_us - progress->since_us < PROGRESS_STANDS_US)
		return false;
	progress->held = true;
	return true;
}

void progress_held(const struct progress *progress, const char *holder)
{
	log_write(LOG_LEVEL_WARNING, "watch_held", "tx=%lld seconds=%d holder=%s",
		  (long long)progress->horizon, PROGRESS_STANDS_US / 1000000,
		  holder[0] != '\0' ? holder : "unknown");
}
