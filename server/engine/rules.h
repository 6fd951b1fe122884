/* The rules of fields (proto/isms/v1/rules.proto), read once from the embedded
 * descriptors and checked on each request. */
#ifndef ISMS_ENGINE_RULES_H
#define ISMS_ENGINE_RULES_H

#include <protobuf-c/protobuf-c.h>

#include "common/status.h"

struct arena;
struct rules;

/* Rules of these message types and all that they contain; why (static) says what
 * is wrong: a recursive type, a type that the descriptors do not have. Yours. */
struct rules *rules_new(const ProtobufCMessageDescriptor *const *types, size_t n_types,
			const char **why);
void rules_free(struct rules *rules);

/* INVALID_ARGUMENT, reason INVALID_FIELD, with up to STATUS_VIOLATIONS_MAX
 * fields. */
STATUS_MUST_CHECK struct status rules_check(const struct rules *rules,
					    const ProtobufCMessage *message, struct arena *arena);

/* A shallow copy of the message without its secret fields (top level), or the
 * message itself when it has none. */
const ProtobufCMessage *rules_without_secrets(const struct rules *rules,
					      const ProtobufCMessage *message, struct arena *arena);

#endif
