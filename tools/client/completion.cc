// carillon completion bash, zsh: made from the declared commands, so that it cannot be behind them.

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/client/command.h"

namespace carillon::client {
namespace {

/// One case for each command: its subcommands and long options.
void append_cases(const CLI::App& app, const std::string& path, std::string& out) {
  std::string words;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name().empty()) {  // a group of options
      for (const CLI::Option* option : command->get_options()) {
        for (const auto& name : option->get_lnames()) words += " --" + name;
      }
      continue;
    }
    words += " " + command->get_name();
    append_cases(*command, path + " " + command->get_name(), out);
  }
  for (const CLI::Option* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) words += " --" + name;
  }
  out += "    \"" + path + "\") words=\"" + words.substr(words.empty() ? 0 : 1) + "\" ;;\n";
}

std::string bash_script(const CLI::App& app) {
  std::string cases;
  append_cases(app, "carillon", cases);
  // The path is made of the words so far that lead on to a command of their own.
  return R"sh(_carillon_words() {
  case "$1" in
)sh" + cases +
         R"sh(    *) return 1 ;;
  esac
  printf '%s' "$words"
}
_carillon() {
  local path="carillon" word words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${COMP_WORDS[i]}"
    case "$word" in -*) continue ;; esac
    if _carillon_words "$path $word" > /dev/null; then path="$path $word"; fi
  done
  COMPREPLY=($(compgen -W "$(_carillon_words "$path")" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _carillon carillon
)sh";
}

}  // namespace

void declare_completion(CLI::App& app, Context&) {
  auto shell = std::make_shared<std::string>();
  auto* command = app.add_subcommand("completion", "Print a completion script for a shell");
  command->footer(
      "  bash: source <(carillon completion bash)\n"
      "  zsh:  source <(carillon completion zsh)");
  command->add_option("shell", *shell, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}));
  command->callback([shell, &app] {
    if (*shell == "zsh") std::cout << "autoload -U +X bashcompinit && bashcompinit\n";
    std::cout << bash_script(app);
  });
}

}  // namespace carillon::client
