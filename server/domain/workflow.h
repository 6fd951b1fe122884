/* The tables of states as a document: server/domain/WORKFLOW.md is what this prints. */
#ifndef ISMS_DOMAIN_WORKFLOW_H
#define ISMS_DOMAIN_WORKFLOW_H

#include <stdio.h>

/* As Markdown. */
void workflow_print(FILE *out);

#endif
