"""Names of the ISCED-F 2013 fields in use, by their four-digit code.

Source: UNESCO Institute for Statistics, ISCED Fields of Education and Training 2013.
"""

from django.utils.translation import gettext_lazy as _

FIELDS = {
    "0111": _("Education science"),
    "0114": _("Teacher training"),
    "0213": _("Fine arts"),
    "0215": _("Music and performing arts"),
    "0222": _("History and archaeology"),
    "0231": _("Language acquisition"),
    "0232": _("Literature and linguistics"),
    "0311": _("Economics"),
    "0312": _("Political science"),
    "0321": _("Journalism"),
    "0412": _("Finance and banking"),
    "0413": _("Management"),
    "0416": _("Trade"),
    "0421": _("Law"),
    "0511": _("Biology"),
    "0521": _("Environmental sciences"),
    "0532": _("Earth sciences"),
    "0533": _("Physics"),
    "0541": _("Mathematics"),
    "0612": _("Databases and networks"),
    "0613": _("Software and applications"),
    "0712": _("Environmental protection technology"),
    "0713": _("Electricity and energy"),
    "0714": _("Electronics and automation"),
    "0715": _("Mechanics"),
    "0716": _("Vehicles, ships and aircraft"),
    "0721": _("Food processing"),
    "0724": _("Mining and extraction"),
    "0731": _("Architecture and town planning"),
    "0732": _("Civil engineering"),
    "0811": _("Agronomy"),
    "0821": _("Forestry"),
    "0841": _("Veterinary medicine"),
    "0912": _("Medicine"),
    "0913": _("Nursing"),
    "0917": _("Traditional medicine"),
    "0919": _("Public health"),
    "1015": _("Tourism"),
    "1041": _("Transport services"),
}


def field_name(code: str) -> str:
    """The name of the field CODE; the code itself where it has no name here."""
    return str(FIELDS.get(code, code))
