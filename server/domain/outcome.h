/* What a decision does to its subject and to the risk. */
#ifndef ISMS_DOMAIN_OUTCOME_H
#define ISMS_DOMAIN_OUTCOME_H

#include "server/domain/dossier.h"
#include "server/domain/facts.h"

/* What a request is about: one of the two is there while the subject is
 * SUBMITTED in the version that the request froze. */
struct outcome_subject {
	struct dossier_plan *plan;
	struct dossier_acceptance *acceptance;
};

/* false when the subject, or the risk, is no longer what the request froze. */
bool outcome_subject_find(struct outcome_subject *out, struct dossier *dossier,
			  const Isms__V1__ApprovalRequest *request);

/* The last approval: the acceptance is in force, or the plan approved; what it
 * replaces ends; the risk moves on. A target score is put when the plan has one. */
void outcome_approve(struct dossier *dossier, const struct outcome_subject *subject,
		     const struct facts *facts);
void outcome_reject(struct dossier *dossier, const struct outcome_subject *subject);
void outcome_request_changes(struct dossier *dossier, const struct outcome_subject *subject);
/* The request no longer fits what it was made for: a submitted subject is a draft
 * again. */
void outcome_return(struct dossier *dossier, const Isms__V1__ApprovalRequest *request);

#endif
