#include "api/openapi.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <simdjson.h>

#include "api/problem.h"
#include "api/routes.h"

namespace carillon {
namespace {

namespace dom = simdjson::dom;

std::string upper(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return out;
}

/// "GET /v1/tasks ? group limit [application/json]" for each operation.
std::string describe(std::string_view method, std::string_view path,
                     const std::set<std::string>& parameters, std::set<std::string> types) {
  std::string out = std::string(method) + " " + std::string(path) + " ?";
  for (const std::string& parameter : parameters) out += " " + parameter;
  for (const std::string& type : types) out += " [" + type + "]";
  return out;
}

std::set<std::string> documented() {
  dom::parser parser;
  const dom::element document = parser.parse(kOpenApi.data(), kOpenApi.size()).value();
  std::set<std::string> all;
  for (const auto [path, operations] : dom::object(document["paths"])) {
    for (const auto [method, operation] : dom::object(operations)) {
      std::set<std::string> parameters, types;
      dom::array listed;
      if (operation["parameters"].get(listed) == simdjson::SUCCESS) {
        for (const dom::element parameter : listed) {
          if (std::string_view(parameter["in"]) == "query")
            parameters.emplace(std::string_view(parameter["name"]));
          else
            EXPECT_NE(path.find("{" + std::string(std::string_view(parameter["name"])) + "}"),
                      std::string_view::npos);
        }
      }
      dom::object content;
      if (operation["requestBody"]["content"].get(content) == simdjson::SUCCESS) {
        for (const auto [type, schema] : content) types.emplace(type);
      }
      all.insert(describe(upper(method), path, parameters, types));
    }
  }
  return all;
}

/// Not for nodes of the cluster, nor for browsers.
bool is_for_clients(const ApiRoute& route) {
  return route.access != Access::peer && route.access != Access::page;
}

std::set<std::string> served() {
  std::set<std::string> all;
  for (const ApiRoute& route : routes()) {
    if (!is_for_clients(route)) continue;
    std::set<std::string> parameters, types;
    for (std::string_view rest = route.parameters; !rest.empty();) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      parameters.emplace(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (route.takes != Takes::nothing) types.insert("application/json");
    if (route.takes == Takes::tasks) types.insert("application/x-ndjson");
    if (route.takes == Takes::json_patch) types.insert("application/merge-patch+json");
    all.insert(describe(route.method, route.pattern, parameters, types));
  }
  return all;
}

TEST(OpenApi, DescribesEveryRouteAndNoOther) {
  EXPECT_EQ(documented(), served());
}

TEST(OpenApi, SaysWhichRoleEachRouteNeeds) {
  constexpr std::string_view kRoles[] = {"read", "write", "admin"};
  dom::parser parser;
  const dom::element document = parser.parse(kOpenApi.data(), kOpenApi.size()).value();
  for (const ApiRoute& route : routes()) {
    if (!is_for_clients(route)) continue;
    std::string method;
    for (const char c : route.method) method += static_cast<char>(c - 'A' + 'a');
    const dom::element operation = document["paths"][route.pattern][method].value();
    if (route.access == Access::open || route.access == Access::probe) {
      EXPECT_EQ(dom::array(operation["security"]).size(), 0U) << route.pattern;
    } else {
      const std::string role = "Role: " + std::string(kRoles[static_cast<int>(route.role)]) + ".";
      EXPECT_NE(std::string_view(operation["description"]).find(role), std::string_view::npos)
          << route.pattern;
    }
  }
}

/// docs/api.md, which says the same for people.
std::string api_page() {
  std::ifstream file(CARILLON_SOURCE_DIR "/docs/api.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ApiPage, ListsEveryProblemWithItsStatusAndNoOther) {
  const std::string page = api_page();
  const std::size_t begin = page.find("## Problems");
  const std::string section = page.substr(begin, page.find("## Limits") - begin);
  std::set<std::string> rows;
  for (std::size_t at = 0; (at = section.find("| `", at)) != std::string::npos; ++at) {
    const std::string row = section.substr(at, section.find('\n', at) - at);
    rows.insert(row.substr(0, row.find('|', row.find('|', 2) + 2)));
  }
  std::set<std::string> kinds;
  for (const ProblemKind& kind : problem_kinds())
    kinds.insert("| `" + std::string(kind.slug) + "` | " + std::to_string(kind.status) + " ");
  EXPECT_EQ(rows, kinds);
}

/// The text of all sources that can refuse a request, but for the list of problems itself.
std::string refusing_sources() {
  std::string all;
  for (const char* folder : {"base", "net", "wheel", "shard", "storage", "delivery", "engine",
                             "cluster", "http", "api"}) {
    const std::filesystem::path root = std::filesystem::path(CARILLON_SOURCE_DIR) / folder;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      if (entry.path().extension() != ".cc" || entry.path().filename() == "problem.cc") continue;
      std::ifstream file(entry.path());
      all.append(std::istreambuf_iterator<char>(file), {});
    }
  }
  return all;
}

TEST(Problems, EachIsProducedSomewhere) {
  const std::string sources = refusing_sources();
  ASSERT_FALSE(sources.empty());
  for (const ProblemKind& kind : problem_kinds()) {
    if (kind.slug == "internal") continue;  // what every slug that is not listed becomes
    EXPECT_NE(sources.find('"' + std::string(kind.slug) + '"'), std::string::npos) << kind.slug;
  }
}

TEST(Problems, TitlesAreShortAndSayNothingOfOneCase) {
  for (const ProblemKind& kind : problem_kinds()) {
    EXPECT_LE(kind.title.size(), 32U) << kind.title;
    EXPECT_EQ(kind.title.find_first_of(".:`\""), std::string_view::npos) << kind.title;
    EXPECT_TRUE(kind.title[0] >= 'A' && kind.title[0] <= 'Z') << kind.title;
  }
}

TEST(ApiPage, NamesEveryRoute) {
  const std::string page = api_page();
  for (const ApiRoute& route : routes()) {
    if (!is_for_clients(route)) continue;
    const std::string_view pattern = route.pattern.substr(0, route.pattern.find("}:"));
    EXPECT_NE(page.find(pattern), std::string::npos) << route.pattern;
  }
}

}  // namespace
}  // namespace carillon
