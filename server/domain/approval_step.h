/* The steps of a request, opened and closed, and their clock: until when one waits, when
 * it escalates and to whom. All of it stands in the request from the moment that the step
 * opens; whoever decides looks at these times, and so does the server's clock. */
#ifndef ISMS_DOMAIN_APPROVAL_STEP_H
#define ISMS_DOMAIN_APPROVAL_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "isms/v1/approval.pb-c.h"

struct arena;

/* Opens a step of the request; 0: none. */
void approval_step_open(Isms__V1__ApprovalRequest *request, int32_t step_no, int64_t now_us,
			struct arena *arena);
/* Closes the request: no step is open, and the state is one that an open request can
 * come to, which is asserted. reason is copied. */
void approval_step_close(Isms__V1__ApprovalRequest *request, Isms__V1__ApprovalState state,
			 const char *reason, int64_t now_us, struct arena *arena);
/* Notes that the role it escalates to has been asked; anybody: there was somebody to
 * ask, who now has as long as the first had. */
void approval_step_escalate(Isms__V1__ApprovalRequest *request, bool anybody, int64_t now_us,
			    struct arena *arena);

/* Whether the open step is overdue. */
bool approval_step_overdue(const Isms__V1__ApprovalRequest *request, int64_t now_us);
/* Whether there is a role that can still be asked, and whether it is time to. */
bool approval_step_can_escalate(const Isms__V1__ApprovalRequest *request);
bool approval_step_escalates(const Isms__V1__ApprovalRequest *request, int64_t now_us);

#endif
