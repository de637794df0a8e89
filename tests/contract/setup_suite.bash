# shellcheck shell=bash
# Before any test of the contract, the guide or the claims: which programs there are. bats loads this file by itself
# for the tests beside it, and else by --setup-suite-file.

setup_suite() {
	local IFS=$' \t\n' # with --filter-tags bats leaves a comma in it
	BATS_TEST_DIRNAME=$(realpath "${BASH_SOURCE[0]%/*}")
	# shellcheck source=tests/helper.bash
	. "$BATS_TEST_DIRNAME/../helper.bash"
	# shellcheck source=tests/contract/programs.bash
	. "$BATS_TEST_DIRNAME/programs.bash"
	find_programs
}
