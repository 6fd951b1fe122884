/* One value between PostgreSQL's binary format and a field of a message. What a
 * converter needs is worked out once, at start-up, into a struct convert. */
#ifndef ISMS_DB_CONVERT_H
#define ISMS_DB_CONVERT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* Types of PostgreSQL's catalogue, whose numbers are fixed. */
enum {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_TEXT_ARRAY = 1009,
	OID_INT8_ARRAY = 1016,
	OID_VARCHAR_ARRAY = 1015,
	OID_VARCHAR = 1043,
	OID_TIMESTAMPTZ = 1184,
	OID_UUID = 2950,
	OID_UUID_ARRAY = 2951,
};

enum {
	CONVERT_SCRATCH = 16,         /* bytes that a value of fixed size needs at most */
	CONVERT_ELEMENTS_MAX = 10000, /* of a list */
};

enum convert_result {
	CONVERT_OK,
	CONVERT_BAD,    /* the value does not fit the other side */
	CONVERT_MEMORY, /* the arena is full */
};

struct convert_name {
	const char *text; /* short name of an enum's value */
	size_t len;
	int32_t value;
};

struct convert_value {
	const char *data; /* NULL: SQL's NULL */
	int len;
};

struct convert;
/* Sets the field of message (the sub-message that has it). */
typedef enum convert_result (*convert_read_fn)(void *message, const struct convert *convert,
					       const char *data, int len, struct arena *arena);
/* out->data may point to scratch, the message or the arena. */
typedef enum convert_result (*convert_write_fn)(struct convert_value *out,
						const struct convert *convert, const void *message,
						char *scratch, struct arena *arena);

struct convert {
	convert_read_fn read;
	convert_write_fn write;
	const ProtobufCFieldDescriptor *field;
	uint32_t oid;
	bool null_ok;               /* NULL leaves the field's default */
	struct convert_name *names; /* of an enum as text, sorted by text; owned */
	size_t n_names;
};

/* CONVERT_BAD when there is no converter for the pair. Undone by convert_done. */
enum convert_result convert_init(struct convert *out, uint32_t oid,
				 const ProtobufCFieldDescriptor *field);
void convert_done(struct convert *convert);

/* Big-endian, as on the wire. */
void convert_put32(char *out, uint32_t value);
void convert_put64(char *out, uint64_t value);

/* An integer as int2, int4 or int8. */
enum convert_result convert_write_int(struct convert_value *out, uint32_t oid, int64_t value,
				      char *scratch);
/* A uuid from its text; "" and NULL are SQL's NULL. */
enum convert_result convert_write_uuid(struct convert_value *out, const char *text, char *scratch);

#endif
