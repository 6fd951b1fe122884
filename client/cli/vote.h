/* Decisions. What is decided on is read, its digest is computed here and compared
 * with the server's, it is shown, confirmed, and the vote carries that digest: so
 * nobody votes on another text than the one shown. */
#ifndef ISMS_CLI_VOTE_H
#define ISMS_CLI_VOTE_H

struct app;
struct args;
struct command;

/* Hooks of the commands. */
int vote_approve(struct app *app, const struct command *command, const struct args *args);
int vote_reject(struct app *app, const struct command *command, const struct args *args);
int vote_request_changes(struct app *app, const struct command *command, const struct args *args);
/* Steps back from deciding. */
int vote_recuse(struct app *app, const struct command *command, const struct args *args);
int vote_show(struct app *app, const struct command *command, const struct args *args);

#endif
