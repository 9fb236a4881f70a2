#include "smtp/io.h"

void
io_show(const struct io *io, const char *arrow, struct span line)
{
	if (io->show != NULL)
		io->show(io->context, arrow, line);
}
