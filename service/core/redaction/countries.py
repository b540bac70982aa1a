"""Countries and demonyms, for addresses and stated nationality."""

from __future__ import annotations

_TABLE = """Afghanistan:Afghan Albania:Albanian Algeria:Algerian Andorra:Andorran Angola:Angolan Argentina:Argentine,Argentinian
Armenia:Armenian Australia:Australian Austria:Austrian Azerbaijan:Azerbaijani Bahamas:Bahamian Bahrain:Bahraini
Bangladesh:Bangladeshi Barbados:Barbadian Belarus:Belarusian Belgium:Belgian Belize:Belizean Benin:Beninese
Bhutan:Bhutanese Bolivia:Bolivian Bosnia:Bosnian Botswana:Botswanan Brazil:Brazilian Bulgaria:Bulgarian
Burundi:Burundian Cambodia:Cambodian Cameroon:Cameroonian Canada:Canadian Chad:Chadian Chile:Chilean China:Chinese
Colombia:Colombian Congo:Congolese Costa_Rica:Costa_Rican Croatia:Croatian Cuba:Cuban Cyprus:Cypriot
Czech_Republic:Czech Czechia:Czech Denmark:Danish Djibouti:Djiboutian Dominica:Dominican
Dominican_Republic:Dominican Ecuador:Ecuadorian Egypt:Egyptian El_Salvador:Salvadoran Eritrea:Eritrean
Estonia:Estonian Eswatini:Swazi Ethiopia:Ethiopian Fiji:Fijian Finland:Finnish France:French Gabon:Gabonese
Gambia:Gambian Georgia:Georgian Germany:German Ghana:Ghanaian Greece:Greek Grenada:Grenadian Guatemala:Guatemalan
Guinea:Guinean Guyana:Guyanese Haiti:Haitian Honduras:Honduran Hong_Kong:Hongkonger Hungary:Hungarian
Iceland:Icelandic India:Indian Indonesia:Indonesian Iran:Iranian Iraq:Iraqi Ireland:Irish Israel:Israeli
Italy:Italian Ivory_Coast:Ivorian Jamaica:Jamaican Japan:Japanese Jordan:Jordanian Kazakhstan:Kazakh,Kazakhstani
Kenya:Kenyan Kosovo:Kosovar Kuwait:Kuwaiti Kyrgyzstan:Kyrgyz Laos:Laotian Latvia:Latvian Lebanon:Lebanese
Lesotho:Basotho Liberia:Liberian Libya:Libyan Lithuania:Lithuanian Luxembourg:Luxembourgish Madagascar:Malagasy
Malawi:Malawian Malaysia:Malaysian Maldives:Maldivian Mali:Malian Malta:Maltese Mauritania:Mauritanian
Mauritius:Mauritian Mexico:Mexican Moldova:Moldovan Monaco:Monegasque Mongolia:Mongolian Montenegro:Montenegrin
Morocco:Moroccan Mozambique:Mozambican Myanmar:Burmese Namibia:Namibian Nepal:Nepali,Nepalese Netherlands:Dutch
New_Zealand:New_Zealander Nicaragua:Nicaraguan Niger:Nigerien Nigeria:Nigerian North_Macedonia:Macedonian
Norway:Norwegian Oman:Omani Pakistan:Pakistani Palestine:Palestinian Panama:Panamanian Paraguay:Paraguayan
Peru:Peruvian Philippines:Filipino,Filipina Poland:Polish Portugal:Portuguese Puerto_Rico:Puerto_Rican Qatar:Qatari
Romania:Romanian Russia:Russian Rwanda:Rwandan Samoa:Samoan Saudi_Arabia:Saudi,Saudi_Arabian Senegal:Senegalese
Serbia:Serbian Sierra_Leone:Sierra_Leonean Singapore:Singaporean Slovakia:Slovak Slovenia:Slovenian
Somalia:Somali South_Africa:South_African South_Korea:South_Korean,Korean Korea:Korean South_Sudan:South_Sudanese
Spain:Spanish Sri_Lanka:Sri_Lankan Sudan:Sudanese Suriname:Surinamese Sweden:Swedish Switzerland:Swiss Syria:Syrian
Taiwan:Taiwanese Tajikistan:Tajik Tanzania:Tanzanian Thailand:Thai Togo:Togolese Tonga:Tongan
Trinidad_and_Tobago:Trinidadian Tunisia:Tunisian Turkey:Turkish Türkiye:Turkish Turkmenistan:Turkmen Uganda:Ugandan
Ukraine:Ukrainian United_Arab_Emirates:Emirati UAE:Emirati United_Kingdom:British UK:British England:English
Scotland:Scottish Wales:Welsh Northern_Ireland:Northern_Irish United_States:American USA:American
United_States_of_America:American Uruguay:Uruguayan Uzbekistan:Uzbek Venezuela:Venezuelan Vietnam:Vietnamese
Yemen:Yemeni Zambia:Zambian Zimbabwe:Zimbabwean"""

_PAIRS = [entry.replace("_", " ").split(":") for entry in _TABLE.split()]

COUNTRY_NAMES: tuple[str, ...] = tuple(sorted({country for country, _ in _PAIRS}, key=len, reverse=True))
"""English names of countries, the longest first, so that a pattern of them takes the whole name."""

DEMONYMS: tuple[str, ...] = tuple(
    sorted({demonym for _, names in _PAIRS for demonym in names.split(",")}, key=len, reverse=True)
)
