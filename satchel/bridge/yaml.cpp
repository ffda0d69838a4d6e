// timm's args.yaml: a flat mapping of keys to scalars and lists. The only file that sees libyaml, the library that PyYAML itself stands on.
// SPDX-License-Identifier: Apache-2.0
#include <yaml.h>

#include <algorithm>
#include <array>
#include <memory>

#include "satchel/base/error.h"
#include "satchel/bridge/bridge.h"

namespace satchel::bridge {
namespace {

/// One parsed document; freed with it.
class Document {
 public:
  Document(const std::string& text, const std::string& name) {
    yaml_parser_t parser;
    const bool ready = yaml_parser_initialize(&parser) == 1;
    check(ready, Kind::machine, "{}: no memory for a YAML parser", name);
    const std::unique_ptr<yaml_parser_t, void (*)(yaml_parser_t*)> guard(&parser, yaml_parser_delete);
    yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text.data()), text.size());
    const bool loaded = yaml_parser_load(&parser, &document_) == 1;
    check(loaded, Kind::usage, "{}:{}: {}; give timm's args.yaml", name, parser.problem_mark.line + 1,
          parser.problem ? parser.problem : "no YAML");
  }
  ~Document() { yaml_document_delete(&document_); }
  Document(const Document&) = delete;

  yaml_node_t* root() { return yaml_document_get_root_node(&document_); }
  yaml_node_t* node(int index) { return yaml_document_get_node(&document_, index); }

 private:
  yaml_document_t document_{};
};

std::string text_of(const yaml_node_t& node) { return {reinterpret_cast<const char*>(node.data.scalar.value), node.data.scalar.length}; }

bool is_plain(const yaml_node_t& node) { return node.data.scalar.style == YAML_PLAIN_SCALAR_STYLE; }

bool is_none(const yaml_node_t& node) {
  const std::array<std::string, 5> none = {"", "~", "null", "Null", "NULL"};
  return node.type == YAML_SCALAR_NODE && is_plain(node) && std::count(none.begin(), none.end(), text_of(node)) > 0;
}

/// A scalar as the word that argparse would have seen; YAML 1.1 has several spellings of true and false.
std::string word_of(const yaml_node_t& node, const std::string& origin) {
  check(node.type == YAML_SCALAR_NODE, Kind::usage, "{}: a value inside a value, which no argument of timm's train.py takes", origin);
  const std::string text = text_of(node);
  if (!is_plain(node)) return text;
  for (const auto& [words, meant] :
       {std::pair{std::array<const char*, 9>{"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"}, "true"},
        std::pair{std::array<const char*, 9>{"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"}, "false"}})
    for (const char* word : words)
      if (text == word) return meant;
  return text;
}

/// A value of a mapping as Python writes it.
std::string keyword_of(Document& document, const yaml_node_t& node, const std::string& origin) {
  if (is_none(node)) return "None";
  if (node.type != YAML_SEQUENCE_NODE) return word_of(node, origin);
  std::string words;
  for (const yaml_node_item_t* item = node.data.sequence.items.start; item < node.data.sequence.items.top; ++item)
    words += (words.empty() ? "" : ", ") + word_of(*document.node(*item), origin);
  return "[" + words + "]";
}

Given given_of(Document& document, const std::string& key, const yaml_node_t& value, const std::string& origin) {
  Given given{key, {}, is_none(value), origin};
  if (given.none) return given;
  if (value.type == YAML_SEQUENCE_NODE) {
    for (const yaml_node_item_t* item = value.data.sequence.items.start; item < value.data.sequence.items.top; ++item)
      given.words.push_back(word_of(*document.node(*item), origin));
  } else if (value.type == YAML_MAPPING_NODE) {
    for (const yaml_node_pair_t* pair = value.data.mapping.pairs.start; pair < value.data.mapping.pairs.top; ++pair)
      given.words.push_back(word_of(*document.node(pair->key), origin) + "=" + keyword_of(document, *document.node(pair->value), origin));
  } else {
    given.words.push_back(word_of(value, origin));
  }
  return given;
}

}  // namespace

Invocation read_args_yaml(const std::string& text, const std::string& name) {
  Document document(text, name);
  yaml_node_t* root = document.root();
  check(root && root->type == YAML_MAPPING_NODE, Kind::usage,
        "{}: neither timm's args.yaml (lines of key: value) nor a command with train.py in it; give one of the two", name);
  Invocation invocation{{}, std::nullopt, name, {}};
  for (const yaml_node_pair_t* pair = root->data.mapping.pairs.start; pair < root->data.mapping.pairs.top; ++pair) {
    const yaml_node_t& key = *document.node(pair->key);
    const std::string origin = fmt::format("{}:{}", name, key.start_mark.line + 1);
    std::string argument = word_of(key, origin);
    std::replace(argument.begin(), argument.end(), '-', '_');
    invocation.given.push_back(given_of(document, argument, *document.node(pair->value), origin));
  }
  return invocation;
}

}  // namespace satchel::bridge
