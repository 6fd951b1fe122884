/* Messages as JSON and back (the proto3 JSON mapping), from descriptors.
 *
 * Out: lowerCamelCase names, every field without presence (also defaults), enums
 * by full name, 64-bit integers as strings, bytes as base64, Timestamp as
 * RFC 3339, FieldMask as a comma-separated string.
 * In: names in either case, enums by full or short name or number, integers as
 * numbers or strings, null as "not set". An unknown name is an error that gives
 * its path and the nearest name. */
#ifndef ISMS_CLI_JSON_H
#define ISMS_CLI_JSON_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

struct app;

/* A new reference; ends the program when out of memory. */
json_t *json_from_message(struct app *app, const ProtobufCMessage *message);
/* Parses text and sets the fields that it names. An exit code; errors are printed. */
int json_parse(struct app *app, ProtobufCMessage *out, const char *text, size_t len);
/* Prints with an indent of two, unsafe characters as \u escapes. */
void json_print(FILE *out, const json_t *json);
/* The same on one line. */
void json_print_line(FILE *out, const json_t *json);
/* "ownerId" for "owner_id". In the arena. */
char *json_name(struct app *app, const char *field);

#endif
