// Commands that run timm's train.py, as typed into a shell: how many processes, then train.py's own arguments as argparse reads them.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "satchel/base/error.h"
#include "satchel/bridge/arguments.h"

namespace satchel::bridge {
namespace {

using Words = std::vector<std::string>;

bool ends_in(const std::string& word, const char* script) { return word == script || word.ends_with(std::string("/") + script); }
bool is_script(const std::string& word) { return ends_in(word, "train.py"); }
bool is_launcher_script(const std::string& word) { return ends_in(word, "distributed_train.sh"); }
bool runs_timm(const std::string& word) { return is_script(word) || is_launcher_script(word); }

std::optional<int> positive(const std::string& word) {
  int value = 0;
  const char* end = word.data() + word.size();
  return std::from_chars(word.data(), end, value).ptr == end && value > 0 ? std::optional<int>(value) : std::nullopt;
}

/// The number behind a launcher's flag, as `--flag 4` or `--flag=4`, with dashes or underscores; nothing when it is not there.
std::optional<int> launched(const Words& words, size_t script, const std::string& flag) {
  for (size_t i = 0; i < script; ++i) {
    std::string word = words[i];
    std::replace(word.begin(), word.end(), '_', '-');
    const bool joined = word.starts_with(flag + "=");
    if (word != flag && !joined) continue;
    const std::string number = joined ? word.substr(flag.size() + 1) : i + 1 < script ? words[i + 1] : "";
    const std::optional<int> value = positive(number);
    check(value.has_value(), Kind::usage,
          "{} {}: the number of processes is needed; write it out, or leave the launcher away and give --world N", flag, number);
    return value;
  }
  return std::nullopt;
}

/// Processes in all: those of torchrun, torch.distributed.launch or accelerate on each of its machines.
int world_of(const Words& words, size_t script) {
  if (is_launcher_script(words[script])) {
    const std::optional<int> processes = script + 1 < words.size() ? positive(words[script + 1]) : std::nullopt;
    check(processes.has_value(), Kind::usage, "{}: the number of processes is needed behind it", words[script]);
    return *processes;
  }
  if (const auto all = launched(words, script, "--num-processes")) return *all;
  return launched(words, script, "--nproc-per-node").value_or(1) * launched(words, script, "--nnodes").value_or(1);
}

bool is_number(const std::string& word) {
  double value = 0;
  const char* end = word.data() + word.size();
  return !word.empty() && std::from_chars(word.data(), end, value).ptr == end;
}

bool is_flag(const std::string& word) { return word.size() > 1 && word.front() == '-' && !is_number(word); }

/// The words that belong to a flag: none for a switch, one, or for a list those that can be of it.
Words values_behind(const Words& words, size_t& at, const Argument& argument, const std::string& flag) {
  if (argument.type == Type::flag) return {"true"};
  const bool list = argument.type >= Type::wholes;
  const bool numbers = argument.type == Type::wholes || argument.type == Type::numbers;
  Words values;
  while (at + 1 < words.size() && !is_flag(words[at + 1]) && (list || values.empty()) && (!numbers || is_number(words[at + 1])))
    values.push_back(words[++at]);
  if (values.empty() && std::string_view(argument.name) == "torchcompile") return {"inductor"};
  check(!values.empty() || argument.type == Type::pairs, Kind::usage, "{}: a value is needed behind it", flag);
  return values;
}

[[noreturn]] void refuse(const std::string& flag) {
  const std::string near = recipe::nearest(flag, all_flags());
  fail(Kind::usage, "{}: timm's train.py has no such argument{}; leave it out", flag, near.empty() ? "" : " (did you mean " + near + "?)");
}

void read_flag(const Words& words, size_t& at, Invocation& to) {
  std::string flag = words[at];
  std::optional<std::string> joined;
  if (const size_t equals = flag.find('='); flag.starts_with("--") && equals != std::string::npos)
    joined = flag.substr(equals + 1), flag.resize(equals);
  if (flag == "-c" || flag == "--config") {
    const std::string file = joined ? *joined : at + 1 < words.size() ? words[++at] : "";
    Invocation config = read_args_yaml(read_text(file), file);
    to.given.insert(to.given.begin(), config.given.begin(), config.given.end());  // the command wins
    return;
  }
  const Argument* argument = find_flag(flag);
  if (!argument && flag.size() > 2 && flag[1] != '-') {  // -b128
    argument = find_flag(flag.substr(0, 2));
    if (argument) joined = flag.substr(2), flag.resize(2);
  }
  if (!argument) refuse(flag);
  to.given.push_back({argument->name, joined ? Words{*joined} : values_behind(words, at, *argument, flag), false, flag_of(*argument)});
}

std::string one_line(const Words& words) {
  std::string line;
  for (const std::string& word : words) line.append(line.empty() ? "" : " ").append(shell_word(word));
  return line;
}

// ---- a command inside a text ------------------------------------------------------------------------------------------------------

/// Commands of a text, each in its words: quotes, backslashes, continued lines, redirections and comments as a shell reads them;
/// variables stay as written.
class Shell {
 public:
  /// `name` is the text's, for messages.
  Shell(const std::string& text, std::string name) : text_(text), name_(std::move(name)) {}

  /// Throws Error(usage) when a training run's quote is never closed.
  std::vector<Words> commands() {
    for (at_ = 0; at_ < text_.size(); ++at_) step();
    const bool open = quote_ != 0;
    end_command();
    // Prose is full of apostrophes; of a training run they swallow arguments.
    check(!open || commands_.empty() || std::none_of(commands_.back().begin(), commands_.back().end(), runs_timm), Kind::usage,
          "{}:{}: the quote that opens here is never closed; close it", name_,
          1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(opened_), '\n'));
    return std::move(commands_);
  }

 private:
  void step() {
    const char c = text_[at_];
    if (quote_ != 0) {
      if (c == quote_)
        quote_ = 0;
      else if (c == '\\' && quote_ == '"' && at_ + 1 < text_.size())
        escaped();
      else
        word_ += c;
    } else if (c == '\\' && at_ + 1 < text_.size()) {
      escaped();
    } else if (c == '\'' || c == '"') {
      quote_ = c, in_word_ = true, opened_ = at_;
    } else if (c == '#' && !in_word_) {
      at_ = std::min(text_.find('\n', at_), text_.size()) - 1;
    } else if (c == '<' || c == '>') {
      redirect();
    } else if (c == '\n' || c == ';' || c == '&' || c == '|') {
      end_command();
    } else if (c == ' ' || c == '\t' || c == '\r') {
      end_word();
    } else {
      word_ += c, in_word_ = true;
    }
  }
  /// A backslash joins lines and protects one character.
  void escaped() {
    const char next = text_[++at_];
    if (next == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n')
      ++at_;
    else if (next != '\n')
      word_ += next, in_word_ = true;
  }
  /// `2>&1`, `> log`, `<in`: neither the number before nor the file behind is a word of the command.
  void redirect() {
    if (word_.find_first_not_of("0123456789") == std::string::npos) word_.clear(), in_word_ = false;
    end_word();
    while (at_ + 1 < text_.size() && (text_[at_ + 1] == '>' || text_[at_ + 1] == '&')) ++at_;
    skips_ = true;
  }
  void end_word() {
    if (in_word_ && !skips_) words_.push_back(word_);
    skips_ = skips_ && !in_word_;
    word_.clear(), in_word_ = false;
  }
  void end_command() {
    end_word();
    skips_ = false;
    if (!words_.empty()) commands_.push_back(std::move(words_));
    words_.clear();
  }

  const std::string& text_;
  std::string name_;
  size_t at_ = 0, opened_ = 0;
  char quote_ = 0;
  bool in_word_ = false, skips_ = false;
  std::string word_;
  Words words_;
  std::vector<Words> commands_;
};

/// `then python train.py`, `(cd work`: words of the shell's own grammar.
void drop_grammar(Words& words) {
  while (!words.empty() && (words.front() == "then" || words.front() == "do" || words.front() == "else" || words.front() == "("))
    words.erase(words.begin());
}

}  // namespace

Invocation read_command(const Words& words) {
  const auto found = std::find_if(words.begin(), words.end(), runs_timm);
  check(found != words.end(), Kind::usage,
        "no train.py in '{}': give the whole command, as in torchrun --nproc-per-node 4 train.py --model resnet50", one_line(words));
  const auto script = static_cast<size_t>(found - words.begin());
  Invocation invocation{{}, world_of(words, script), one_line(words), {}};
  for (size_t at = script + (is_launcher_script(words[script]) ? 2 : 1); at < words.size(); ++at) {
    if (is_flag(words[at])) {
      read_flag(words, at, invocation);
    } else {
      const bool second = std::any_of(invocation.given.begin(), invocation.given.end(), [](const Given& g) { return g.name == "data"; });
      check(!second, Kind::usage, "{}: train.py takes one folder of data, and it stands before; leave it out, or put it behind its flag",
            shell_word(words[at]));
      invocation.given.push_back({"data", {words[at]}, false, words[at]});
    }
  }
  return invocation;
}

Invocation read_file(const Path& path) {
  const std::string text = read_text(path), name = path.string();
  if (name.ends_with(".yaml") || name.ends_with(".yml")) return read_args_yaml(text, name);
  std::optional<Invocation> found;
  for (Words& words : Shell(text, name).commands()) {
    drop_grammar(words);
    if (std::none_of(words.begin(), words.end(), runs_timm)) continue;
    if (found)
      found->others.push_back(one_line(words));
    else
      found = read_command(words);
  }
  return found ? *found : read_args_yaml(text, name);
}

}  // namespace satchel::bridge
