/* What the log says of reads that fail and of a horizon that stands still. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "server/watch/progress.h"
#include "tests/unit/tap.h"

static FILE *lines;

static void begin(void)
{
	lines = tmpfile();
	if (lines == NULL)
		abort();
	log_set_fd(fileno(lines));
}

/* How often the log holds a text. */
static int told(const char *text)
{
	static char all[65536];
	ssize_t n = pread(fileno(lines), all, sizeof(all) - 1, 0);
	int found = 0;
	all[n > 0 ? n : 0] = '\0';
	for (const char *at = strstr(all, text); at != NULL; at = strstr(at + 1, text))
		found++;
	return found;
}

static void end(void)
{
	log_set_fd(2);
	fclose(lines);
}

TEST(a_read_that_fails_is_told_of_once_and_when_it_is_over)
{
	struct progress progress = { 0 };
	struct status bad = status_make(STATUS_CODE_UNAVAILABLE, "DATABASE_BUSY", "too many");
	struct status good = { 0 };
	begin();
	progress_followed(&progress, &good);
	CHECK_INT(told("event="), 0);
	for (int i = 0; i < 3; i++)
		progress_followed(&progress, &bad);
	CHECK_INT(told("level=warning event=watch_waits"), 1);
	CHECK_INT(told("query=watch_follow reason=DATABASE_BUSY"), 1);
	progress_missed(&progress, &bad);
	CHECK_INT(told("query=watch_missed reason=DATABASE_BUSY"), 1);
	for (int i = 0; i < 3; i++)
		progress_followed(&progress, &good);
	CHECK_INT(told("event=watch_goes"), 1);
	end();
}

TEST(a_horizon_that_stands_still_is_told_of_with_who_holds_it)
{
	struct progress progress = { 0 };
	begin();
	CHECK(!progress_horizon(&progress, 100, 105, 0));
	CHECK(!progress_horizon(&progress, 100, 110, PROGRESS_STANDS_US - 1));
	CHECK(progress_horizon(&progress, 100, 110, PROGRESS_STANDS_US));
	CHECK(!progress_horizon(&progress, 100, 110, 2 * PROGRESS_STANDS_US));
	progress_held(&progress, "session 7");
	CHECK_INT(told("level=warning event=watch_held"), 1);
	CHECK_INT(told("tx=100"), 1);
	CHECK_INT(told("session 7"), 1);
	CHECK(!progress_horizon(&progress, 110, 112, 2 * PROGRESS_STANDS_US));
	CHECK_INT(told("event=watch_released"), 1);
	end();
}

TEST(a_horizon_that_nothing_is_above_does_not_stand_still)
{
	struct progress progress = { 0 };
	for (int64_t now = 0; now < 5 * PROGRESS_STANDS_US; now += PROGRESS_STANDS_US / 2)
		CHECK(!progress_horizon(&progress, 100, 100, now));
	CHECK(!progress_horizon(&progress, 100, 101, 5 * PROGRESS_STANDS_US));
}

TAP_MAIN
