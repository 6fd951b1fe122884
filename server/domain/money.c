/* A decimal text is the same in every currency; minor units are not. */
#include "server/domain/money.h"

#include <string.h>

static const char digits[] = "0123456789";

bool money_amount_valid(const char *text)
{
	size_t whole = strspn(text, digits);
	if (whole < 1 || whole > MONEY_DIGITS_MAX || (text[0] == '0' && whole > 1))
		return false;
	if (text[whole] == '\0')
		return true;
	if (text[whole] != '.')
		return false;
	size_t part = strspn(text + whole + 1, digits);
	return part >= 1 && part <= MONEY_DECIMALS_MAX && text[whole + 1 + part] == '\0';
}

bool money_currency_valid(const char *text)
{
	return strlen(text) == 3 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}
