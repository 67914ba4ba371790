"""``{{convert}}`` on the English Wikipedia; values of its documentation and of its pages."""

from __future__ import annotations

import pytest

from crossic_etl.kernels.wikitext import to_text


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{convert|2|km|mi}}", "2 kilometres (1.2 mi)"),
        ("{{convert|7|mi|km}}", "7 miles (11 km)"),
        ("{{convert|7.1|mi|km}}", "7.1 miles (11.4 km)"),
        ("{{convert|7.0|mi|km}}", "7.0 miles (11.3 km)"),
        ("{{convert|1000|km|mi}}", "1,000 kilometres (620 mi)"),
        ("{{convert|1+1/2|mi|km}}", "1 1/2 miles (2.4 km)"),
        ("{{convert|100|ft|m}}", "100 feet (30 m)"),
        ("{{convert|1|ft|m}}", "1 foot (0.30 m)"),
        ("{{convert|204|m|ft|abbr=on}}", "204 m (669 ft)"),
        ("{{convert|64|kg|lb|abbr=on}}", "64 kg (141 lb)"),
        ("{{convert|891.1|km2|sqmi|abbr=on}}", "891.1 km² (344.1 sq mi)"),
        ("{{convert|100|PD/sqkm|PD/sqmi}}", "100 inhabitants per square kilometre (260/sq mi)"),
        ("{{convert|200|acre|ha}}", "200 acres (81 ha)"),
        ("{{convert|10|C|F}}", "10 °C (50 °F)"),
        ("{{convert|37.5|C|F}}", "37.5 °C (99.5 °F)"),
        ("{{convert|-40|C|F}}", "−40 °C (−40 °F)"),
        ("{{convert|0|C|F}}", "0 °C (32 °F)"),
        ("{{convert|100|hp|kW}}", "100 horsepower (75 kW)"),
    ],
)
def test_a_measure_is_converted_with_the_default_rounding(source: str, expected: str) -> None:
    assert to_text(source, "en").text == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{convert|2|km|mi|2|abbr=on}}", "2 km (1.24 mi)"),
        ("{{convert|8848|m|ft|0|abbr=on}}", "8,848 m (29,029 ft)"),
        ("{{convert|2|-|5|km|mi|2|abbr=on}}", "2–5 km (1.24–3.11 mi)"),
        ("{{convert|2|km|mi|sigfig=3}}", "2 kilometres (1.24 mi)"),
        ("{{convert|101|mi|km|round=5}}", "101 miles (165 km)"),
    ],
)
def test_the_call_may_say_how_to_round(source: str, expected: str) -> None:
    assert to_text(source, "en").text == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{convert|2|to|5|km|mi}}", "2 to 5 kilometres (1.2 to 3.1 mi)"),
        ("{{convert|2|-|5|km|mi}}", "2–5 kilometres (1.2–3.1 mi)"),
        ("{{convert|5-10|km|mi}}", "5–10 kilometres (3.1–6.2 mi)"),
        ("{{convert|6|to|17|kg|lb}}", "6 to 17 kilograms (13 to 37 lb)"),
        ("{{convert|6|by|12|m|ft}}", "6 by 12 metres (20 by 39 ft)"),
        ("{{convert|6|x|12|m|ft|abbr=on}}", "6 m × 12 m (20 ft × 39 ft)"),
        ("{{convert|10|to|20|°C|°F}}", "10 to 20 °C (50 to 68 °F)"),
        ("{{convert|5|to|10|mi|km|adj=on}}", "5-to-10-mile (8.0 to 16.1 km)"),
    ],
)
def test_a_range_is_converted_at_both_ends(source: str, expected: str) -> None:
    assert to_text(source, "en").text == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{convert|5|ft|11|in|m}}", "5 feet 11 inches (1.80 m)"),
        ("{{cvt|5|ft|11|in|cm}}", "5 ft 11 in (180 cm)"),
        ("{{cvt|1.85|m|ftin}}", "1.85 m (6 ft 1 in)"),
        ("{{convert|10|st|2|lb|kg}}", "10 stone 2 pounds (64 kg)"),
        ("{{height|m=1.85}}", "1.85 m (6 ft 1 in)"),
        ("{{height|ft=5|in=11}}", "5 ft 11 in (1.80 m)"),
        ("{{convert|20|kn|km/h mph}}", "20 knots (37 km/h; 23 mph)"),
        (
            "{{convert|30000|ST|LT t}}",
            "30,000 short tons (27,000 long tons; 27,000 t)",
        ),
    ],
)
def test_a_measure_may_have_several_units(source: str, expected: str) -> None:
    assert to_text(source, "en").text == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{convert|1|lb|kg|abbr=off}}", "1 pound (0.45 kilograms)"),
        ("{{convert|1|lb|kg|abbr=in}}", "1 lb (0.45 kilograms)"),
        ("{{cvt|1|lb|kg}}", "1 lb (0.45 kg)"),
        ("{{convert|10|mi|km|adj=on}} way", "10-mile (16 km) way"),
        ("{{convert|10|mi|km|adj=on|abbr=on}} way", "10 mi (16 km) way"),
        ("{{convert|204|m|ft|adj=mid|sp=us|-high}}", "204-meter-high (669 ft)"),
        ("{{convert|2|sqmi|km2|0|adj=mid|large}}", "2-square-mile large (5 km²)"),
        ("{{convert|2|and|5|km|mi|sigfig=3|abbr=off}}", "2 and 5 kilometres (1.24 and 3.11 miles)"),
        ("{{convert|10|km|mi|order=flip}}", "6.2 miles (10 km)"),
        ("{{convert|10|km|mi|disp=or}}", "10 kilometres or 6.2 mi"),
        ("{{convert|10|km|mi|disp=out}}", "6.2 mi"),
        ("{{convert|10|km|mi|disp=number}}", "6.2"),
    ],
)
def test_the_form_follows_the_call(source: str, expected: str) -> None:
    assert to_text(source, "en").text == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{convert|3|e6acre|ha}}", "3 million acres (1,200,000 ha)"),
        ("{{convert|4|e6mi}}", "4 million miles (6.4 million kilometres)"),
        ("{{convert|93|e6mi|e6km|abbr=unit}}", "93 million mi (150 million km)"),
        ("{{convert|2.3|e6m3|e6cuft}}", "2.3 million cubic metres (81 million cubic feet)"),
        ("{{convert|1|e6USgal|L|sp=us}}", "1 million U.S. gallons (3,800,000 L)"),
        ("{{convert|5|e6foo|km}}", "5 e6foo"),
    ],
)
def test_a_unit_may_be_a_thousand_or_a_million(source: str, expected: str) -> None:
    assert to_text(source, "en").text == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{convert|0.5 to 4|in|cm}}", "0.5 to 4 inches (1.3 to 10.2 cm)"),
        ("{{convert|1|F-change}}", "1 °F (0.56 °C)"),
        ("{{convert|827.9|km²|1|sp=us}}", "827.9 square kilometers (319.7 sq mi)"),
        ("{{convert|320|ha|acre|adj=on}}", "320-hectare (790-acre)"),
        ("{{convert|302|hp|order=flip}}", "225 kilowatts (302 hp)"),
        ("{{convert|926.8|/km2|/sqmi}}", "926.8 per square kilometre (2,400/sq mi)"),
        ("{{convert|1100|m3/s|abbr=on}}", "1,100 m³/s (39,000 cu ft/s)"),
        ("{{height|ft=6|in=6|abbr=no}}", "6 feet 6 inches (1.98 metres)"),
    ],
)
def test_units_have_the_names_and_targets_of_module_convert(source: str, expected: str) -> None:
    assert to_text(source, "en").text == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{val|1.602e-19|ul=C}}", "1.602×10⁻¹⁹ C"),
        ("{{val|3.5E6}} {{val|3|e=+4}}", "3.5×10⁶ 3×10⁴"),
        ("{{val|6.67430|(15)|e=-11|u=m3.kg-1.s-2}}", "6.67430(15)×10⁻¹¹ m³⋅kg⁻¹⋅s⁻²"),
        ("{{val|1.2|0.1|0.2|e=3|u=km/s}}", "(1.2+0.1−0.2)×10³ km/s"),
        ("{{val|5|to|6|u=km}} {{val|4|x|6|u=m}}", "5 to 6 km 4 × 6 m"),
        ("{{val|5|u=degC}} {{val|5|u=F}}", "5 °C 5 F"),
    ],
)
def test_a_value_has_exponents_errors_and_units(source: str, expected: str) -> None:
    assert to_text(source, "en").text == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{convert|20|furlong}}", "20 furlongs"),
        ("{{convert|3|km|foo}}", "3 kilometres"),
        ("{{convert|3|km|kg}}", "3 kilometres"),
        ("{{convert|3|foo|bar}}", "3 foo"),
        ("{{convert|1+1/4|in|mm|frac=8}}", "1 1/4 inches"),
        ("{{convert|some|km}}", "some"),
        ("{{convert|5}}", "5"),
    ],
)
def test_what_cannot_be_worked_out_shows_the_input_alone(source: str, expected: str) -> None:
    assert to_text(source, "en").text == expected


def test_other_wikis_show_the_input_alone() -> None:
    assert to_text("{{convert|10|km|mi}}", "es").text == "10 km"
