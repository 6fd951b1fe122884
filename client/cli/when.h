/* Times that people type: RFC 3339 ("2026-11-30T12:00:00Z", "…+02:00"), a date
 * (the end of that day, UTC) or a span from now ("+90d", "+2w", "-12h"). */
#ifndef ISMS_CLI_WHEN_H
#define ISMS_CLI_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/* false when text is none of these or not a time between 1970 and 9999. */
bool when_parse(int64_t *out_us, const char *text, int64_t now_us);
/* Only RFC 3339 with a time, as in JSON. */
bool when_parse_rfc3339(int64_t *out_us, const char *text);
int64_t when_now(void);

#endif
