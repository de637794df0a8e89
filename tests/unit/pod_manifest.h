/*
 * pod_manifest.h: lab 17's sources, the manifest that a test reads, and the beginnings of small
 * ones.
 */
#pragma once

#include "run.h"

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

/* ---- Formulas ---- */

static struct manifest manifest;

/* ---- What is read ---- */

#define HEAD "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
#define ONE_POD HEAD "spec:\n  containers:\n  - name: a\n    image: busybox\n"
#define SPEC "  containers: [{name: a, image: busybox}]\n"

/* ---- What is refused, and where ---- */

#define IN(more) ONE_POD "    " more "\n" /* line 8, column 5 */
