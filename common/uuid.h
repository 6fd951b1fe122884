/* UUIDs in canonical text (RFC 9562): 36 characters, lower case. */
#ifndef ISMS_UUID_H
#define ISMS_UUID_H

#include <stdbool.h>
#include <stdint.h>

enum { UUID_BYTES = 16, UUID_TEXT = 37 };

/* Only the canonical lower-case form is accepted. */
bool uuid_parse(const char *text, uint8_t out[UUID_BYTES]);
void uuid_format(const uint8_t bytes[UUID_BYTES], char out[UUID_TEXT]);
/* Version 7: 48 bits of Unix milliseconds, then 74 of the 80 given bits. */
void uuid_v7(int64_t unix_us, const uint8_t entropy[10], char out[UUID_TEXT]);

#endif
