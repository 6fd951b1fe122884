/* The secrets that the server gives out: "isms", a letter for the kind, "_", 32
 * random bytes and a check sum in URL-safe base64. Only the digest is stored. */
#ifndef ISMS_DOMAIN_TOKEN_H
#define ISMS_DOMAIN_TOKEN_H

#include <protobuf-c/protobuf-c.h>

struct plan;

enum token_kind {
	TOKEN_ACCESS = 'A',     /* a login */
	TOKEN_INVITATION = 'B', /* one use: sets the first password */
	TOKEN_SERVICE = 'S',    /* of an integration */
};

/* A new secret with random bytes of the plan, and its SHA-256; both in the
 * arena. */
char *token_new(ProtobufCBinaryData *out_sha256, struct plan *plan, enum token_kind kind);

#endif
