/* What travels to the guest: an archive in the format newc of cpio(5), made in memory. */
#ifndef UNBOXED_CLIENT_ARCHIVE_H
#define UNBOXED_CLIENT_ARCHIVE_H

/* CARRY: the guest must not have a file of that name. ALSO: if it has, its own file stays. */
enum travel { CARRY, ALSO };

/* Learns which names the guest has, from a file with a line "d NAME" or "f NAME" for each. */
void archive_know_names(const char *list);
/* Adds path, a file or a folder, to what travels. Paths may be the same, lie below each other and
 * lead through links. The words of path stay in use. */
void archive_add(const char *path, enum travel how);
/* Where a path lies, here and in the guest, when the links on the way to it are followed. */
const char *archive_place(const char *path);
/* A descriptor of the archive of all that was added, at its start; -1 when nothing was. */
int archive_finish(void);

#endif
