/* The loads of a method that decides something about a risk: its dossier, found
 * by what the request names ("risk", "plan", "acceptance", "request", "asset",
 * "system", "control"). */
#ifndef ISMS_RPC_DOSSIER_LOADS_H
#define ISMS_RPC_DOSSIER_LOADS_H

#include "isms/v1/acceptance.pb-c.h"
#include "isms/v1/approval.pb-c.h"
#include "isms/v1/asset.pb-c.h"
#include "isms/v1/risk.pb-c.h"
#include "isms/v1/scope.pb-c.h"
#include "isms/v1/treatment.pb-c.h"

#define LOAD(name, type)                                                                           \
	{                                                                                          \
		.query = (name), .row = &type##__descriptor                                        \
	}

/* Plans, acceptances and requests on the risk. */
#define DOSSIER_LOADS(of)                                                                          \
	LOAD("dossier_plans_of_" of, isms__v1__treatment_plan),                                    \
		LOAD("dossier_acceptances_of_" of, isms__v1__acceptance),                          \
		LOAD("dossier_requests_of_" of, isms__v1__approval_request)

/* For a method that opens a request: what its risk is about. Nothing is decided from
 * these rows; the commit proves that none of them is changing, which would end the
 * request (material_change.h). */
#define SUBJECTS_OF(of)                                                                            \
	LOAD("systems_of_" of, isms__v1__ai_system), LOAD("assets_of_" of, isms__v1__asset)

/* For a method that changes an asset: the risks it is linked to that have
 * something open or in force, with their dossiers. */
#define LOADS_OF_ASSET LOAD("dossier_risk_of_asset", isms__v1__risk), DOSSIER_LOADS("asset")

/* For a method that changes an AI system: the same for the risks that name it and those
 * of its assets. */
#define LOADS_OF_SYSTEM LOAD("dossier_risk_of_system", isms__v1__risk), DOSSIER_LOADS("system")

/* For a method that changes a control: the same for the risks with an acceptance that
 * counts on it. */
#define LOADS_OF_CONTROL LOAD("dossier_risk_of_control", isms__v1__risk), DOSSIER_LOADS("control")

#endif
