/* Converters of repeated fields: one-dimensional uuid[] and text[] of strings, and
 * bigint[] of int64, text[] of enums (names without the enum's prefix). */
#ifndef ISMS_DB_CONVERT_LIST_H
#define ISMS_DB_CONVERT_LIST_H

#include "server/db/convert.h"

enum convert_result convert_read_uuids(void *message, const struct convert *convert,
				       const char *data, int len, struct arena *arena);
enum convert_result convert_read_texts(void *message, const struct convert *convert,
				       const char *data, int len, struct arena *arena);
enum convert_result convert_write_uuids(struct convert_value *out, const struct convert *convert,
					const void *message, char *scratch, struct arena *arena);
enum convert_result convert_read_longs(void *message, const struct convert *convert,
				       const char *data, int len, struct arena *arena);
enum convert_result convert_write_longs(struct convert_value *out, const struct convert *convert,
					const void *message, char *scratch, struct arena *arena);
enum convert_result convert_write_texts(struct convert_value *out, const struct convert *convert,
					const void *message, char *scratch, struct arena *arena);
enum convert_result convert_read_enums(void *message, const struct convert *convert,
				       const char *data, int len, struct arena *arena);
enum convert_result convert_write_enums(struct convert_value *out, const struct convert *convert,
					const void *message, char *scratch, struct arena *arena);

#endif
