/* Any bytes: a manifest that is read to its end, or one that is refused at a place that it has. */
/* link: yaml-0.1 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>

#include "../../labs/16-container/privileges.c"
#include "../../labs/16-container/reserved.c"
#include "../../labs/17-pod/check.c"
#include "../../labs/17-pod/elsewhere.c"
#include "../../labs/17-pod/fields.c"
#include "../../labs/17-pod/manifest.c"
#include "../../labs/17-pod/pod.c"
#include "../../labs/17-pod/problems.c"
#include "../../labs/17-pod/quantity.c"
#include "../../labs/17-pod/read.c"
#include "../../labs/17-pod/resources.c"
#include "../../labs/17-pod/schema.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct manifest manifest;
	memset(&manifest, 0, sizeof manifest);
	bool good = manifest_read(&manifest, (const char *)data, size, NULL, false);
	if (good ? !manifest.pod->containers.count : manifest.error.at.line < 1)
		abort();
	manifest_free(&manifest);
	return 0;
}
