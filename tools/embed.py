"""Writes a C++ source that holds the given text files, by path relative to the root (see satchel/recipe/builtin.cpp)."""
import pathlib
import sys

root, out, *files = map(pathlib.Path, sys.argv[1:])
lines = ["namespace satchel::recipe {", "struct BuiltinFile { const char* path; const char* text; };",
         "extern const BuiltinFile kBuiltinFiles[] = {"]
for file in sorted(files):
    # Raw string pieces: compilers limit the length of one literal.
    text = file.read_text()
    pieces = [text[i:i + 8000] for i in range(0, len(text), 8000)] or [""]
    body = "\n".join(f'R"toml({piece})toml"' for piece in pieces)
    lines.append(f'{{"{file.relative_to(root)}", {body}}},')
lines += ["{nullptr, nullptr}};", "}  // namespace satchel::recipe", ""]
out.write_text("\n".join(lines))
