/* Bytes as base64 (RFC 4648) and hex, in the arena of the program. */
#ifndef ISMS_CLI_BASE64_H
#define ISMS_CLI_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app;

char *base64_encode(struct app *app, const uint8_t *data, size_t len);
/* Standard or URL alphabet, with or without padding. */
bool base64_decode(struct app *app, uint8_t **out, size_t *out_len, const char *text);
char *hex_encode(struct app *app, const uint8_t *data, size_t len);
/* Exactly len bytes. */
bool hex_decode(uint8_t *out, size_t len, const char *text);

#endif
