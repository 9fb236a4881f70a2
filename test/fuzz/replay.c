/*
 * Runs files through a target, without libFuzzer: replay FILE ...  Prints each name before it,
 * so that the last line names the input that failed.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

static int
replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t len;

	if (file == NULL)
		goto fail;
	fseek(file, 0, SEEK_END);
	long end = ftell(file);
	rewind(file);
	/* exactly as long as the input, so that reading beyond it is detected */
	uint8_t *octets = malloc(end > 0 ? (size_t)end : 1);
	if (octets == NULL || end < 0)
		goto fail;
	len = fread(octets, 1, (size_t)end, file);
	fclose(file);
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(octets, len);
	free(octets);
	return 0;
fail:
	perror(path);
	return -1;
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: %s file ...\n", argv[0]);
		return 64;
	}
	for (int i = 1; i < argc; i++)
		if (replay(argv[i]) < 0)
			return 1;
	printf("%d replayed\n", argc - 1);
	return 0;
}
