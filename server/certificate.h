/* A throw-away certificate authority and server certificate for the embedded
 * server. The CA's private key is never stored: when the certificate is about to
 * end or does not name the host, both are made anew. */
#ifndef ISMS_SERVER_CERTIFICATE_H
#define ISMS_SERVER_CERTIFICATE_H

#include "common/status.h"

struct arena;

/* Makes sure that the folder holds ca.crt, server.crt and server.key (mode 0600,
 * ECDSA P-256) for localhost, 127.0.0.1, ::1 and host (a DNS name or an address;
 * NULL or "" for none), good for 30 days at least. */
STATUS_MUST_CHECK struct status certificate_ensure(const char *folder, const char *host,
						   struct arena *arena);

#endif
