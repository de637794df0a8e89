/*
 * about.h: what a lab is and needs, for programs.
 */
#pragma once

void about_print(void); /* one JSON object, to stdout */
