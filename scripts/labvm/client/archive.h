/* What travels to the guest: an archive in the format newc of cpio(5), made in memory. */
#ifndef UNBOXED_CLIENT_ARCHIVE_H
#define UNBOXED_CLIENT_ARCHIVE_H

/* CARRY: the guest must not have a file of that name. ALSO: if it has, its own file stays. */
enum travel { CARRY, ALSO };

/* Learns which names the guest has, from a file with a line "d NAME" or "f NAME" for each. */
void archive_know_names(const char *list);
/* Adds path, a file or a folder, to what travels. */
void archive_add(const char *path, enum travel how);
/* A descriptor of the archive of all that was added, at its start; -1 when nothing was. */
int archive_finish(void);

#endif
