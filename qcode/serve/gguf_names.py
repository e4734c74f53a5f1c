"""How quantisations are called: in a file's name, and by number in the file."""

import re

_BASE = {
    **{0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K"},
    **{11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S"},
    **{17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS"},
    **{23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S"},
    **{29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0"},
    **{38: "MXFP4_MOE", 39: "NVFP4"},
}
FILE_TYPES = _BASE
"""`general.file_type`, as llama.cpp numbers them (include/llama.h, `llama_ftype`)."""

_NAMED = re.compile(
    r"(?<![A-Za-z0-9])"
    r"((?:UD-)?(?:I?Q[1-8]_(?:K_(?:XXL|XL|L|M|S)|K|[01]|XXS|XS|NL|S|M)|TQ[12]_0)"
    r"|BF16|F16|F32|MXFP4(?:_MOE)?|NVFP4)"
    r"(?![A-Za-z0-9_])",
    re.IGNORECASE,
)


def quantisation(name: str) -> str:
    """As a file's or a tag's name has it, in capitals: `UD-Q4_K_XL`; empty = it has none.

    The name is more exact than the number in the file, which knows no mixtures by their makers.
    """
    found = _NAMED.findall(name)
    return found[-1].upper() if found else ""
