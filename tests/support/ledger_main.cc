// ledger: judges a history that a run wrote down. Exit codes: 0 every promise kept, 1 not, 2 usage.
#include <fstream>
#include <iostream>

#include <CLI/CLI.hpp>

#include "tests/support/ledger.h"

int main(int argc, char** argv) {
  CLI::App app("Judges a history of calls, answers and pushes by Carillon's promises.", "ledger");
  std::string path;
  carillon::test::Ledger::Rules rules;
  app.add_option("HISTORY", path, "one call a line; - is standard input")->required();
  app.add_flag("--may-repeat", rules.may_repeat, "there was a crash, a time-out or a lost answer");
  app.add_flag("--in-due-order", rules.in_due_order, "one push at a time was under way");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  std::ifstream file;
  if (path != "-") {
    file.open(path);
    if (!file) {
      std::cerr << "ledger: cannot read " << path << '\n';
      return 2;
    }
  }
  carillon::test::Ledger ledger;
  std::string bad_line;
  if (!ledger.read_history(path == "-" ? std::cin : file, bad_line)) {
    std::cerr << "ledger: this line of " << path << " is no call, or out of order: " << bad_line
              << '\n';
    return 2;
  }
  const auto verdict = ledger.judge(rules);
  std::cout << verdict.text() << '\n';
  return verdict.good() ? 0 : 1;
}
