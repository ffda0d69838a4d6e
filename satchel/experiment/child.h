// One `satchel train` of a table as a child process: its words, its start, what it said at last. Inside experiment/ only.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "satchel/experiment/experiment.h"

namespace satchel::experiment {

/// The command that begins the job, or goes on with it where its run folder has been begun. It writes its result to `result`.
std::vector<std::string> words_of(const Job& job, const RunRequest& request, const Path& result);
/// The command that judges a finished run by a test; and its answer, top-1 in percent. Throws Error(data) when there is none.
std::vector<std::string> words_of(const Job& job, const Test& test, const RunRequest& request, const Path& result);
double read_test(const Test& test, const Path& result);
/// The command that only tries the job.
std::vector<std::string> rehearsal_of(const Job& job, const RunRequest& request, const Path& result);
/// Starts the program with its output in `log`, in a process group of its own, and asks the system to stop it should we die.
/// Throws Error(machine) when no process can be had.
pid_t start(const std::vector<std::string>& words, const Path& log);
/// The last line in `log` that holds something, without the name that the program puts before it.
std::string last_line(const Path& log);
/// Exit code of a status that waitpid gave; −signal for one that a signal ended.
int exit_code(int status);

}  // namespace satchel::experiment
