/* Names that people use for objects: refs (RSK-000042 or RSK-42), e-mails, codes,
 * names. The API takes ids only; what a text means is found with its lists. */
#ifndef ISMS_CLI_RESOLVE_H
#define ISMS_CLI_RESOLVE_H

#include <stdbool.h>

struct app;

/* Kind of object that a field names ("user" for owner_id); NULL for none. */
const char *resolve_object(const char *field);
/* Whether there is such a kind. */
bool resolve_is_object(const char *object);
/* Id for a text; an id is taken as it is, without a call. Prints errors. */
int resolve_id(struct app *app, const char *object, const char *text, const char **out);
/* What people call an object: ref, e-mail, code or name; the id where that is not
 * to be had. */
const char *resolve_label(struct app *app, const char *object, const char *id);
/* Whether text has the form of a ref or of an e-mail. */
bool resolve_has_form(const char *text);
/* Whether text is a ref of a kind ("APR-1" for "approval"). */
bool resolve_is_ref(const char *object, const char *text);
/* Whether two refs are the same: APR-7 and apr-000007 are. */
bool resolve_same_ref(const char *a, const char *b);

#endif
