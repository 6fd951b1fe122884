/* What a decision is made from: the request, the caller, the rows that were
 * loaded, and the time. Read-only; everything lives in the arena of the call. */
#ifndef ISMS_DOMAIN_FACTS_H
#define ISMS_DOMAIN_FACTS_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isms/store/v1/store.pb-c.h"

struct arena;

enum { FACTS_SETS_MAX = 16 };

/* The rows that one named query of the method's load returned. */
struct fact_set {
	const char *name; /* name of the query */
	const ProtobufCMessageDescriptor *type;
	ProtobufCMessage **rows;
	size_t n;
};

/* What the bounded helper computed between load and decide, if the method asks
 * for it. */
struct fact_work {
	bool password_ok;        /* verify: the password matches the hash */
	char password_hash[128]; /* hash: Argon2id string */
};

/* By what the caller is known, where there is a token. */
struct fact_credential {
	ProtobufCBinaryData fingerprint; /* SHA-256 of the digest of the token */
	char *ip;                        /* from where, without the port; "": not known */
};

/* What the settings of the server say about decisions. */
struct facts_limits {
	int64_t decisions_per_hour; /* votes of a person; 0: as many as they like */
};

struct facts {
	const ProtobufCMessage *request;
	const Isms__Store__V1__Principal *principal; /* NULL for calls without a token */
	const Isms__Store__V1__Access *access;       /* NULL for methods without an access query */
	struct fact_set sets[FACTS_SETS_MAX];
	size_t n_sets;
	struct fact_work work;
	struct fact_credential credential;
	int64_t now_us; /* database clock, Unix microseconds */
	const struct facts_limits *limits;
	struct arena *arena;
};

/* First row of a set, or NULL when it is empty. Asserts that the method loads
 * the set and that its rows are of this type. Use fact_row. */
const ProtobufCMessage *facts_row(const struct facts *facts, const char *set,
				  const ProtobufCMessageDescriptor *type);
/* All rows of a set; *n is their number. Use fact_rows. */
ProtobufCMessage *const *facts_rows(const struct facts *facts, const char *set,
				    const ProtobufCMessageDescriptor *type, size_t *n);

/* fact_row(facts, "risk", Isms__V1__Risk, isms__v1__risk) */
#define fact_row(facts, set, Type, type)                                                           \
	((const Type *)(const void *)facts_row((facts), (set), &type##__descriptor))
#define fact_rows(facts, set, Type, type, n)                                                       \
	((const Type *const *)(const void *)facts_rows((facts), (set), &type##__descriptor, (n)))

/* Whether the caller has the permission at the object's scope, or has
 * "<permission>.own" and owns the object. */
bool facts_may(const struct facts *facts, const char *permission);

#endif
