/* An approval request as it was read: found by any name, its snapshot checked
 * against its digest and unpacked. */
#ifndef ISMS_CLI_DECISION_H
#define ISMS_CLI_DECISION_H

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

#include "client/cli/rpc.h"
#include "isms/v1/acceptance.pb-c.h"
#include "isms/v1/approval.pb-c.h"
#include "isms/v1/risk.pb-c.h"
#include "isms/v1/treatment.pb-c.h"

struct app;

enum { DECISION_DIGEST = 32 };

struct decision {
	const Isms__V1__GetApprovalRequestResponse *reply;
	const Isms__V1__ApprovalRequest *request;
	const Isms__V1__DecisionSnapshot *snapshot;
	const ProtobufCMessage
		*subject;           /* TreatmentPlan, Acceptance or ApprovalPolicy, as frozen */
	const Isms__V1__Risk *risk; /* as frozen; NULL for a change of policies */
	uint8_t digest[DECISION_DIGEST]; /* computed here */
};

/* Id of the request that name stands for: its ref or id, or those of its subject.
 * object is "plan", "acceptance", "policy" or, for any, "approval". Prints errors. */
int decision_find(struct app *app, const char *object, const char *name, const char **out);
/* Reads a request as it is, or was at as_of unless that is NULL. A snapshot that does not have the
 * server's digest, or is about something else, is CLI_INTERNAL. */
int decision_read(struct app *app, const char *id, Google__Protobuf__Timestamp *as_of,
		  enum rpc_quiet quiet, struct decision *out);
/* Fills in digest, snapshot, subject and risk from the snapshot's bytes. NULL, or why they
 * are not what the request is about. */
const char *decision_check(struct app *app, const Isms__V1__ApprovalRequest *request,
			   const ProtobufCBinaryData *bytes, struct decision *out);
/* What is decided, by whom, where it stands. */
void decision_print(struct app *app, const struct decision *decision);
/* "mira@example.org, dana@example.org": who is still asked on the open step. */
const char *decision_waiting(struct app *app, const Isms__V1__GetApprovalRequestResponse *reply);

#endif
