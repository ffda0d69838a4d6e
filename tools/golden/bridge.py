"""What the bridge to timm is held against: the arguments of timm's train.py with their defaults, what timm's networks bring along, and an args.yaml.

The wheel of timm holds no train.py. The arguments are written anew only when checkouts of timm are named; the networks come from the timm installed.
usage: bridge.py tests/golden [TIMM_CHECKOUT…]      (such as a clone at tag v0.5.4, and one of today)
"""
import argparse
import ast
import json
import pathlib
import re
import sys

OUT = "bridge"
FAMILIES = re.compile(r"(se|eca)?resne(x?)t|wide_resnet|senet|densenet|inception_v3|mobilenet|regnet|efficientnet_b|vit_(tiny|small|base)_|deit|convnext")
# A copy of the A2 command of "ResNet strikes back" that goes round, for four GPUs.
A2 = ("/imagenet --model resnet50 --aa rand-m7-mstd0.5-inc1 --mixup .1 --cutmix 1.0 --aug-repeats 3 --reprob 0.0 --crop-pct 0.95 --drop-path .05 "
      "--smoothing 0.0 --bce-loss --bce-target-thresh 0.2 --opt lamb --weight-decay .02 --lr 3.5e-3 --warmup-lr 1e-4 --batch-size 256 --epochs 300 "
      "--amp --channels-last -j 8 --output runs").split()


class KeyValues(argparse.Action):
    """Stands in for timm.utils.ParseKwargs, of which only the name is recorded."""


class Timm:
    """Stands in for the module timm.utils."""
    ParseKwargs = KeyValues


def parser_of(source):
    """Replays the add_argument calls of a train.py on a parser of our own: the file itself wants torch and the timm of its time."""
    parser = argparse.ArgumentParser(add_help=False)
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument"):
            continue
        names = {"float": float, "int": int, "str": str, "utils": Timm, "ParseKwargs": KeyValues}
        value = lambda tree: eval(compile(ast.Expression(tree), "train.py", "eval"), {"__builtins__": {}}, names)
        keywords = {k.arg: value(k.value) for k in node.keywords if k.arg != "help"}
        parser.add_argument(*[value(a) for a in node.args], **keywords)
    return parser


def describe(action):
    return {"name": action.dest, "flags": action.option_strings, "default": action.default, "nargs": action.nargs,
            "type": "pairs" if isinstance(action, KeyValues) else "flag" if action.nargs == 0 else action.type.__name__ if action.type else None}


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    # A line for each argument or network.
    rows = re.sub(r"(\{|\]|\}), (?=\"\w+\": \[|\{)", r"\1,\n", json.dumps(data, sort_keys=True))
    path.write_text(rows.replace('[{', '[\n{').replace(': {"', ':\n{"') + "\n")


def write_networks(folder):
    import timm
    from timm.data import resolve_data_config
    from timm.models import get_pretrained_cfg
    networks = {}
    for name in timm.list_models():
        config = get_pretrained_cfg(name)
        if not FAMILIES.match(name) or not config:
            continue
        data = resolve_data_config({}, pretrained_cfg=config.to_dict())
        networks[name] = [data["input_size"][-1], data["crop_pct"], data["interpolation"], data["mean"], data["std"]]
    write(folder / "networks.json", {"timm": timm.__version__, "networks": networks})


def write_arguments(folder, checkout):
    version = re.search(r"'(.*)'", (checkout / "timm/version.py").read_text())[1]
    parser = parser_of((checkout / "train.py").read_text())
    arguments = [describe(action) for action in parser._actions if action.dest != "config"]
    write(folder / ("arguments_2021.json" if version.startswith("0.") else "arguments.json"), {"timm": version, "arguments": arguments})
    if not version.startswith("0."):
        import yaml
        namespace = vars(parser.parse_args(A2))
        namespace.pop("config", None)
        (folder / "a2.args.yaml").write_text(yaml.safe_dump(namespace, default_flow_style=False))


def main():
    folder = pathlib.Path(sys.argv[1]) / OUT
    write_networks(folder)
    for checkout in sys.argv[2:]:
        write_arguments(folder, pathlib.Path(checkout))
    if not sys.argv[2:]:
        print(f"{folder}/arguments*.json, a2.args.yaml: left as they are; name checkouts of timm to write them again")


main()
