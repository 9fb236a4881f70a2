#include "sys/idna.h"

#include <idn2.h>
#include <string.h>

bool
idna_to_ascii(char out[HOST_NAME_MAX + 1], struct span name)
{
	char *ascii;
	bool beyond = false;

	if (name.len > HOST_NAME_MAX)
		return false;
	if (name.len > 0)
		memcpy(out, name.at, name.len);
	out[name.len] = '\0';
	for (size_t i = 0; i < name.len; i++) {
		if (name.at[i] == '\0')
			return false;
		beyond = beyond || name.at[i] > 0x7f;
	}
	if (!beyond)
		return true;
	if (idn2_to_ascii_8z(out, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	size_t len = strlen(ascii);
	if (len <= HOST_NAME_MAX)
		memcpy(out, ascii, len + 1);
	idn2_free(ascii);
	return len <= HOST_NAME_MAX;
}
