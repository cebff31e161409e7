"""The texts that every peer is tried with."""

GSM = "Roses €5 {12} [red] ~ ^ | \\ @$_ äÜ"
UCS2 = "海港花店：玫瑰 €5 🌹"
LONG = {
    "gsm": " ".join(f"Order {number} is ready." for number in range(20)),
    "ucs2": "，".join(f"{number}號訂單已備妥🌹" for number in range(12)),
}
