/* Help, from the tables. */
#ifndef ISMS_CLI_HELP_H
#define ISMS_CLI_HELP_H

struct app;
struct command;

/* All nouns and the global flags. */
void help_print(void);
/* The commands of one noun. */
void help_noun(const char *noun);
/* Usage, parameters and examples of one command. */
void help_command(const struct command *command);

#endif
