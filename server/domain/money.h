/* Amounts of money as plans state them: a decimal number and the code of its currency,
 * as texts. Nothing is computed with them. */
#ifndef ISMS_DOMAIN_MONEY_H
#define ISMS_DOMAIN_MONEY_H

#include <stdbool.h>

enum { MONEY_DIGITS_MAX = 14, MONEY_DECIMALS_MAX = 4 };

/* 1 to MONEY_DIGITS_MAX digits without leading zeros, optionally a point and 1 to
 * MONEY_DECIMALS_MAX more. */
bool money_amount_valid(const char *text);
/* Three capital letters, the form of ISO 4217; whether it is a code in use is not
 * asked: those change more often than this. */
bool money_currency_valid(const char *text);

#endif
