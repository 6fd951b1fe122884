/* Whether the text of an approval policy makes sense, on plain data: what a step may
 * say, and that the steps ask for as many different people as their subject needs. */
#ifndef ISMS_DOMAIN_POLICY_CHECK_H
#define ISMS_DOMAIN_POLICY_CHECK_H

#include <stddef.h>

#include "common/status.h"
#include "isms/v1/approval.pb-c.h"

struct arena;

/* Persons that decide on a change of policies, at least. */
enum { POLICY_CHANGE_PERSONS = 2 };

/* INVALID_ARGUMENT naming every field that is wrong, under the name of the message
 * that holds title, levels and steps ("fields"). roles: codes of the roles that
 * decide. */
STATUS_MUST_CHECK struct status policy_check(const Isms__V1__ApprovalPolicy *policy,
					     const char *under, const char *const *roles,
					     size_t n_roles, struct arena *arena);

/* The fewest persons that can approve a request through these steps: on a step that
 * does not want other people those of earlier steps may vote again. */
size_t policy_fewest_persons(const Isms__V1__PolicySteps *steps);

#endif
